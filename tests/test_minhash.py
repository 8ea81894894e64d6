"""MinHash: SQL, numpy and datasketch agree bit for bit, and estimate the Jaccard similarity."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import oracle
import pyarrow as pa
import pytest
from conftest import beside, both_ways
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

import modelhub_sql
from modelhub_sql import logic
from modelhub_sql.udfs import minhash


def datasketch_signature(elements: list[str], functions: int, seed: int = 1) -> list[int]:
    reference = MinHash(num_perm=functions, seed=seed, scheme="affine32")
    for element in elements:
        reference.update(element.encode())
    return [int(value) for value in reference.hashvalues]


def elements(con: duckdb.DuckDBPyConnection, dataset_id: int, numpy: bool) -> dict[int, tuple[list[str], list[int]]]:
    """The elements of each feature of a dataset, as they are hashed, and their signature, by the relations of the sketch."""
    con.execute("CREATE OR REPLACE TEMP TABLE feature_histogram AS FROM features WHERE dataset_id = ?", [dataset_id])
    for step in logic.needed(logic.relations("sketch", numpy), "FROM minhash_signature", ("feature_histogram",)):
        con.execute(logic.step_statement(step))
    rows = con.execute("""
        SELECT feature_id, list(e.cell || ':' || e.replica), any_value(s.minhash), any_value(s.elements)
        FROM minhash_element AS e JOIN minhash_signature AS s USING (feature_id) GROUP BY feature_id
    """).fetchall()
    assert all(len(hashed) == count for _, hashed, _, count in rows)
    return {feature: (hashed, signature) for feature, hashed, signature, _ in rows}


def documented_cell(kind: str, lower: float) -> int:
    """The cell of a bin of numbers: four to an octave, numbered from 4400 on either side of 0."""
    if kind == "text" or lower == 0:
        return int(lower)
    octave = oracle.octave(lower)
    fourths = oracle.number_bin(lower, oracle.Resolution(-2000, 2)) / 2.0 ** (octave - 2)
    return int(math.copysign(4400 + abs(fourths) - 4 + 4 * octave, lower))


@pytest.mark.parametrize("numpy", [False, True])
def test_signatures_of_real_features_are_datasketchs(sensor_hub_path: str, numpy: bool) -> None:
    with (
        modelhub_sql.connect(sensor_hub_path, read_only=True) if numpy else duckdb.connect(sensor_hub_path, read_only=True) as hub
    ):
        con = hub.con if isinstance(hub, modelhub_sql.Hub) else hub
        ((functions,),) = con.execute(
            "SELECT count(*) FROM features, unnest(minhash) WHERE (dataset_id, feature_id) = (1, 1)"
        ).fetchall()
        datasets = [dataset for (dataset,) in con.execute("SELECT dataset_id FROM datasets ORDER BY ALL").fetchall()]
        for dataset_id in datasets[-3:]:
            computed = elements(con, dataset_id, numpy)
            stored = con.execute(
                "SELECT feature_id, kind, bins, counts, minhash FROM features WHERE dataset_id = ?", [dataset_id]
            )
            for feature_id, kind, bins, counts, signature in stored.fetchall():
                hashed, again = computed[feature_id]
                assert signature == again == datasketch_signature(hashed, functions)
                cells: Counter[int] = Counter()
                for lower, n in zip(bins, counts, strict=True):
                    cells[documented_cell(kind, lower)] += n
                scale = max(16 / math.sqrt(sum(counts)), 0.500001 / math.sqrt(max(cells.values())))
                expected = {f"{cell}:{i}" for cell, n in cells.items() for i in range(math.floor(scale * math.sqrt(n) + 0.5))}
                assert set(hashed) == expected
                assert len(hashed) == len(expected)


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
    assert settled_hub.sql("SELECT _logic.sha1_hash32(?)", [text]).fetchall() == [(sha1_hash32(text),)]


def test_sql_and_numpy_agree_on_random_elements(hub: modelhub_sql.Hub) -> None:
    query = """
        SELECT g, _format.minhash_agg(h)::UINTEGER[] FROM (SELECT i % 7 AS g, (hash(i) & 4294967295)::UBIGINT AS h FROM range(5000) t(i))
        GROUP BY g ORDER BY g
    """
    with beside(hub) as plain:
        assert "modelhub_minhash" not in str(plain.execute("EXPLAIN " + query).fetchall())
        assert "modelhub_minhash" in str(hub.con.execute("EXPLAIN " + query).fetchall())
        assert plain.execute(query).fetchall() == hub.con.execute(query).fetchall()


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
    with modelhub_sql.connect() as hub:
        small = pa.table({"y": rng.lognormal(3, 0.5, 1_000)})
        skewed = pa.table({"y": np.concatenate([rng.lognormal(3, 0.5, 500), rng.lognormal(3, 0.05, 9_500)])})
        hub.register("large", pa.table({"x": rng.lognormal(3, 0.5, 100_000)}))
        alike = hub.explain("large", small, details=True).select("jaccard").fetchall()[0][0]
        unlike = hub.explain("large", skewed, features="values", min_jaccard=0, details=True).select("jaccard").fetchall()[0][0]
    assert alike > 0.7
    assert unlike < 0.6


@pytest.mark.long
def test_pairs_that_are_less_alike_than_the_bands_were_made_for_are_found_where_they_are_asked_for(tmp_path: Path) -> None:
    with modelhub_sql.connect(tmp_path / "hub.duckdb") as hub:
        words = [f"w{i}" for i in range(400)]
        models = [{"name": f"m{i}", "dataset": pa.table({f"x{i}": words[i * 15 : i * 15 + 100]})} for i in range(12)]
        hub.register_many(models)
        target = pa.table({"t": words[:100]})
        jaccards = [
            both_ways(
                hub,
                target,
                f"SELECT jaccard FROM explain_features('m{i}', 'target', features := 'values', min_jaccard := 0.05, details := true)",
            )
            for i in range(0, 6, 2)
        ]
    assert all(alike is not None and alike > 0.05 for ((alike,),) in jaccards)
    assert jaccards[-1][0][0] < 0.3


def test_an_empty_set_has_the_greatest_hash_everywhere() -> None:
    nothing = minhash.signatures(np.empty(0, np.uint32), np.array([0, 0]), np.array([1], np.uint32), np.array([0], np.uint32))
    assert nothing.tolist() == [[2**32 - 1]]
