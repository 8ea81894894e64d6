"""MinHash: SQL, numpy and datasketch agree bit for bit, and estimate the Jaccard similarity."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

import modelhub_sql
from modelhub_sql.udfs import minhash


def datasketch_signature(elements: list[str], functions: int, seed: int = 1) -> list[int]:
    reference = MinHash(num_perm=functions, seed=seed, scheme="affine32")
    for element in elements:
        reference.update(element.encode())
    return [int(value) for value in reference.hashvalues]


def replicas(con: duckdb.DuckDBPyConnection, dataset_id: int, feature_id: int) -> list[str]:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE one AS FROM features WHERE dataset_id = ? AND feature_id = ?", [dataset_id, feature_id]
    )
    rows = con.execute("SELECT bin || ':' || replica FROM minhash_elements('one')").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("loaded", [False, True])
def test_signatures_of_real_features_are_datasketchs(sensor_hub_path: str, loaded: bool) -> None:
    with duckdb.connect(sensor_hub_path, read_only=True) as con:
        if loaded:
            modelhub_sql.load(con)
        functions = con.execute("SELECT minhash_bands * minhash_rows FROM settings").fetchall()[0][0]
        ids = con.execute("SELECT dataset_id, feature_id, minhash FROM features ORDER BY dataset_id, feature_id").fetchall()
        assert len(ids) > 40
        for dataset_id, feature_id, stored in ids[::4]:
            elements = replicas(con, dataset_id, feature_id)
            again = con.execute("SELECT minhash FROM minhash_signatures('one')").fetchall()[0][0]
            assert stored == again == datasketch_signature(elements, functions)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.text(max_size=8), max_size=20), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_the_kernel_is_datasketch_on_any_sets(sets: list[list[str]], seed: int) -> None:
    functions = MinHash(num_perm=16, seed=seed, scheme="affine32").permutations
    hashes = [fmix32(sha1_hash32(element)) for elements in sets for element in elements]
    offsets = np.cumsum([0, *map(len, sets)])
    signatures = minhash.signatures(np.array(hashes, np.uint32), offsets, *functions)
    assert signatures.tolist() == [datasketch_signature(elements, 16, seed) for elements in sets]


def sha1_hash32(element: str) -> int:
    from datasketch.hashfunc import sha1_hash32 as reference

    return int(reference(element.encode()))


def fmix32(h: int) -> int:
    h ^= h >> 16
    h = h * 0x85EBCA6B % 2**32
    h ^= h >> 13
    h = h * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30))
def test_the_hash_of_an_element_is_datasketchs(settled_hub: modelhub_sql.Hub, text: str) -> None:
    assert settled_hub.sql("SELECT sha1_hash32(?)", [text]).fetchall() == [(sha1_hash32(text),)]


def test_sql_and_numpy_agree_on_random_elements(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("CREATE TABLE h AS SELECT i % 7 AS g, (hash(i) & 4294967295)::UBIGINT AS h FROM range(5000) t(i)")
    with_udf = hub.con.execute("SELECT g, minhash_agg(h)::UINTEGER[] FROM h GROUP BY g ORDER BY g").fetchall()
    # A cursor knows the UDF but not the temporary macro over it: it runs the SQL of the hub.
    sql_only = hub.con.cursor().execute("SELECT g, minhash_agg(h)::UINTEGER[] FROM h GROUP BY g ORDER BY g").fetchall()
    assert with_udf == sql_only
    assert len(with_udf) == 7


def test_the_estimate_is_within_its_standard_error() -> None:
    k, errors = 128, []
    for trial in range(60):
        jaccard = (trial % 9 + 1) / 10
        common = round(200 * jaccard)
        sets = [
            [f"{trial}:{i}" for i in range(common)] + [f"{trial}:{side}:{i}" for i in range((200 - common) // 2)] for side in "ab"
        ]
        true = common / (common + 2 * ((200 - common) // 2))
        a, b = (datasketch_signature(elements, k) for elements in sets)
        estimate = np.mean(np.array(a) == np.array(b))
        errors.append((estimate - true) / math.sqrt(true * (1 - true) / k))
    # 60 standardised errors: mean within 4 standard errors of 0, spread near 1.
    assert abs(np.mean(errors)) < 4 / math.sqrt(len(errors))
    assert 0.7 < np.std(errors) < 1.4


def test_a_small_and_a_large_sample_of_one_distribution_look_alike_and_another_does_not() -> None:
    rng = np.random.default_rng(0)
    import pyarrow as pa

    with modelhub_sql.connect() as hub:
        small = pa.table({"x": rng.lognormal(3, 0.5, 1_000)})
        skewed = pa.table({"x": np.concatenate([rng.lognormal(3, 0.5, 500), rng.lognormal(3, 0.05, 9_500)])})
        hub.register("large", pa.table({"x": rng.lognormal(3, 0.5, 100_000)}))
        alike = hub.explain("large", small).select("jaccard").fetchall()[0][0]
        unlike = hub.explain("large", skewed, min_jaccard=0).select("jaccard").fetchall()[0][0]
    assert alike > 0.8
    assert unlike < 0.6


def test_an_empty_set_has_the_greatest_hash_everywhere() -> None:
    nothing = minhash.signatures(np.empty(0, np.uint32), np.array([0, 0]), np.array([1], np.uint32), np.array([0], np.uint32))
    assert nothing.tolist() == [[2**32 - 1]]
