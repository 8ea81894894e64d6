"""MinHash: the numpy kernel and the hub's SQL against datasketch and rensa.

Checks that ours and datasketch's ``affine32`` signatures are equal, number by number.

    python examples/benchmarks/minhash.py [--full]
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from datasketch import MinHash
from measuring import OMITTED, Report, Timing, arguments, number, peer, ratio, side_by_side

import modelhub_sql
from modelhub_sql.udfs.minhash import signatures

SEED = 1
OURS = "ModelHub, numpy"
VOCABULARY = "ModelHub, each token hashed once"
SQL_ALONE = "ModelHub, SQL alone"
MATRIX = "numpy, hashes x functions at once"
ONE_BY_ONE, PER_SET, BULK = "datasketch update", "datasketch update_batch", "datasketch bulk"
SHA1 = "SHA-1 of every token, no more"
RENSA_PER_SET, RENSA_BATCH = "rensa update", "rensa batch"

Words = npt.NDArray[np.uint32]

# What a sketch does, from the strings of a list.
FROM_STRINGS = """
    WITH element AS (SELECT row_id, unnest(tokens) AS token FROM benchmark_sets),
    hashed AS (SELECT row_id, _logic.sha1_hash32(token)::UBIGINT AS hash FROM element),
    once AS (SELECT row_id, _logic.fmix32_step(xor(hash, 0::UBIGINT), 16, 2246822507::UBIGINT) AS mixed FROM hashed),
    twice AS (SELECT row_id, _logic.fmix32_step(mixed, 13, 3266489909::UBIGINT) AS mixed FROM once)
    SELECT row_id, _format.minhash_agg(xor(mixed, mixed >> 16))::UINTEGER[] AS minhash FROM twice GROUP BY row_id ORDER BY row_id
"""

# The same for a vocabulary: its tokens are hashed, the sets are numbers of tokens.
OF_VOCABULARY = """
    WITH hashed AS (SELECT _logic.sha1_hash32(token)::UBIGINT AS hash FROM benchmark_vocabulary),
    once AS (SELECT _logic.fmix32_step(xor(hash, 0::UBIGINT), 16, 2246822507::UBIGINT) AS mixed FROM hashed),
    twice AS (SELECT _logic.fmix32_step(mixed, 13, 3266489909::UBIGINT) AS mixed FROM once)
    SELECT xor(mixed, mixed >> 16)::UINTEGER AS mixed FROM twice
"""

#: Tokens of Zipf's law: the n-th of so many is drawn in proportion to 1 / n.
ZIPF = 100_000


def drawn_words(sets: int, size: int, distinct: bool) -> list[list[str]]:
    """Tokens that are all distinct (but for chance), or as often as those of a text are."""
    rng = np.random.default_rng(SEED)
    if distinct:
        drawn = rng.integers(0, 2**31, (sets, size))
    else:
        weights = 1 / np.arange(1, ZIPF + 1)
        drawn = rng.choice(ZIPF, (sets, size), p=weights / weights.sum())
    return [[f"token{word}" for word in row] for row in drawn.tolist()]


def finalised(hashes: Words) -> Words:
    """The MurmurHash3 finaliser."""
    h = hashes.copy()
    for shift, factor in ((16, 2246822507), (13, 3266489909)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    mixed: Words = h ^ (h >> np.uint32(16))
    return mixed


def from_hashes(sets: int, size: int, functions: int) -> dict[str, Callable[[], Any]]:
    """Contestants that start from 32-bit hashes: the signatures of ``sets`` sets of ``size`` elements."""
    rng = np.random.default_rng(SEED)
    hashes = rng.integers(0, 2**32, sets * size, dtype=np.uint32)
    offsets = np.arange(sets + 1, dtype=np.int64) * size
    permutations = MinHash(num_perm=functions, seed=SEED, scheme="affine32").permutations
    a, b = (np.asarray(side, dtype=np.uint32) for side in permutations)
    lists = [part.tolist() for part in np.split(hashes, sets)]
    options = dict(num_perm=functions, seed=SEED, scheme="affine32", hashfunc=int)

    def ours() -> Words:
        return signatures(finalised(hashes), offsets, a, b)

    def matrix() -> Words:
        mixed = finalised(hashes).reshape(sets, size, 1)
        return np.stack([(each * a + b).min(axis=0) for each in mixed])

    def per_set() -> Words:
        minhashes = []
        for elements in lists:
            minhash = MinHash(**options, permutations=permutations)
            minhash.update_batch(elements)
            minhashes.append(minhash.hashvalues)
        return np.stack(minhashes)

    def bulk() -> Words:
        return np.stack([minhash.hashvalues for minhash in MinHash.bulk(lists, **options)])

    contestants: dict[str, Callable[[], Any]] = {OURS: ours, MATRIX: matrix, PER_SET: per_set, BULK: bulk}
    rensa = peer("rensa")
    if rensa is not None:
        wide, ends = hashes.astype(np.uint64), offsets.astype(np.uint64)
        contestants[RENSA_BATCH] = lambda: rensa.RMinHash.digest_matrix_from_flat_token_hashes(
            wide, ends, functions, SEED
        ).to_rows()
    return contestants


def from_strings(
    hub: modelhub_sql.Hub, stock: duckdb.DuckDBPyConnection, words: list[list[str]], functions: int
) -> dict[str, Callable[[], Any]]:
    """Contestants that start from Python lists of strings."""
    sets = len(words)
    permutations = MinHash(num_perm=functions, seed=SEED, scheme="affine32").permutations
    options = dict(num_perm=functions, seed=SEED, scheme="affine32")

    def in_duckdb(con: duckdb.DuckDBPyConnection) -> Callable[[], Words]:
        def run() -> Words:
            given = pa.table({"row_id": np.arange(sets), "tokens": words})
            # A batch is read by one thread.
            con.register("benchmark_sets", pa.Table.from_batches(given.to_batches(max_chunksize=max(1, sets // 16))))
            minhash = con.sql(FROM_STRINGS).to_arrow_table()["minhash"].combine_chunks()
            con.unregister("benchmark_sets")
            signature: Words = minhash.values.to_numpy().reshape(sets, -1)
            return signature

        return run

    a, b = (np.asarray(side, dtype=np.uint32) for side in permutations)

    def vocabulary() -> Words:
        numbered = pa.array(list(itertools.chain.from_iterable(words))).dictionary_encode()
        offsets = np.cumsum([0, *map(len, words)])
        given = pa.table({"token": numbered.dictionary})
        hub.con.register("benchmark_vocabulary", pa.Table.from_batches(given.to_batches(max_chunksize=max(1, len(given) // 16))))
        mixed = hub.con.sql(OF_VOCABULARY).to_arrow_table()["mixed"].combine_chunks().to_numpy()
        hub.con.unregister("benchmark_vocabulary")
        return signatures(mixed[numbered.indices.to_numpy()], offsets, a, b)

    def sha1_alone() -> Any:
        given = pa.table({"token": list(itertools.chain.from_iterable(words))})
        hub.con.register("benchmark_tokens", pa.Table.from_batches(given.to_batches(max_chunksize=max(1, len(given) // 16))))
        hashed = hub.con.sql("SELECT max(sha1(token)) FROM benchmark_tokens").fetchall()
        hub.con.unregister("benchmark_tokens")
        return hashed

    def per_set() -> Words:
        minhashes = []
        for tokens in words:
            minhash = MinHash(**options, permutations=permutations)
            minhash.update_batch([token.encode() for token in tokens])
            minhashes.append(minhash.hashvalues)
        return np.stack(minhashes)

    def one_by_one() -> Words:
        minhashes = []
        for tokens in words:
            minhash = MinHash(**options, permutations=permutations)
            for token in tokens:
                minhash.update(token.encode())
            minhashes.append(minhash.hashvalues)
        return np.stack(minhashes)

    def bulk() -> Words:
        encoded = ([token.encode() for token in tokens] for tokens in words)
        return np.stack([minhash.hashvalues for minhash in MinHash.bulk(encoded, **options)])

    contestants: dict[str, Callable[[], Any]] = {
        OURS: in_duckdb(hub.con),
        VOCABULARY: vocabulary,
        SHA1: sha1_alone,
        SQL_ALONE: in_duckdb(stock),
        PER_SET: per_set,
        ONE_BY_ONE: one_by_one,
        BULK: bulk,
    }
    rensa = peer("rensa")
    if rensa is not None:

        def rensa_per_set() -> list[list[int]]:
            digests = []
            for tokens in words:
                minhash = rensa.RMinHash(functions, SEED)
                minhash.update(tokens)
                digests.append(minhash.digest())
            return digests

        contestants[RENSA_PER_SET] = rensa_per_set
        contestants[RENSA_BATCH] = lambda: rensa.RMinHash.digest_matrix_from_token_sets(words, functions, SEED).to_rows()
    return contestants


def check(timings: dict[str, Timing], sets: int, functions: int) -> None:
    """Ours and datasketch's signatures must be the same numbers; rensa's are others, but as many."""
    for name, timing in timings.items():
        if name == SHA1:
            continue
        if name.startswith("rensa"):
            assert np.shape(timing.result) == (sets, functions), name
        else:
            assert timing.result.shape == (sets, functions), name
            assert np.array_equal(timing.result, timings[PER_SET].result), f"{name} and {PER_SET} differ"


def faster(timing: Timing | None, reference: Timing) -> str:
    """How many times as fast as the reference; a dash where it was not run."""
    return OMITTED if timing is None else f"{number(reference.median / timing.median)} x"


def main() -> None:
    given = arguments(
        __doc__,
        sizes=(
            ["1000x100", "100x1000", "10x10000"],
            ["10000x10", "10000x100", "1000x1000", "100x10000", "10x100000"],
            "sets x elements of each",
        ),
        functions=([128], [128], "functions; those of the hub are as many"),
    )
    report = Report("MinHash", given.full, ("datasketch", "rensa"))
    (functions,) = given.functions
    shapes = [(int(sets), int(size)) for sets, size in (shape.split("x") for shape in given.sizes)]

    names = [OURS, MATRIX, PER_SET, BULK, RENSA_BATCH]
    rows = []
    for sets, size in shapes:
        timings = side_by_side(from_hashes(sets, size, functions), given.repeats, given.budget)
        check(timings, sets, functions)
        rate = sets * size * functions / timings[OURS].median
        rows.append(
            [
                f"{sets:,} x {size:,}",
                f"{number(rate / 1e6)} M/s",
                *(ratio(timings.get(name), timings[OURS]) for name in names[1:]),
            ]
        )
    report.table(
        f"From 32-bit hashes, {functions} functions",
        ["sets x elements", f"{OURS}: hashes x functions", *names[1:]],
        rows,
        f"The first column is a rate, the others are times divided by that of {OURS}: above 1 is slower. All but rensa "
        "return the same numbers, which is checked; rensa computes another signature with fewer evaluations (its rate is "
        f"per signature, not per evaluation). {PER_SET} and bulk get Python lists of numbers and int as the hash function.",
    )

    names = [PER_SET, ONE_BY_ONE, OURS, VOCABULARY, SQL_ALONE, SHA1, BULK, RENSA_PER_SET, RENSA_BATCH]
    with (
        tempfile.TemporaryDirectory() as folder,
        modelhub_sql.connect(Path(folder) / "hub.duckdb", seed=SEED, minhash_bands=functions, minhash_rows=1) as hub,
        duckdb.connect(hub.path) as stock,
    ):
        for kind, distinct in (("all distinct", True), (f"drawn by Zipf's law from {ZIPF:,}", False)):
            rows = []
            for sets, size in shapes:
                words = drawn_words(sets, size, distinct)
                timings = side_by_side(from_strings(hub, stock, words, functions), given.repeats, given.budget)
                check(timings, sets, functions)
                rate = sets * size / timings[PER_SET].median
                rows.append(
                    [
                        f"{sets:,} x {size:,}",
                        f"{len(set(itertools.chain.from_iterable(words))):,}",
                        f"{number(rate / 1e3)} k/s",
                        *(faster(timings.get(name), timings[PER_SET]) for name in names[1:]),
                    ]
                )
            report.table(
                f"From lists of strings to signatures, {functions} functions, tokens {kind}",
                ["sets x tokens", "different tokens", f"{PER_SET}: tokens", *names[1:]],
                rows,
                f"How many times as fast as {PER_SET}: below 1 is slower. Every contestant starts from the same Python lists of "
                f"strings. {ONE_BY_ONE}: a token at a time, as datasketch's documentation begins. {OURS} hands them to "
                f"DuckDB as Arrow, hashes with SHA-1 and mixes in SQL. {VOCABULARY}: Arrow numbers the different "
                f"tokens, SQL hashes these, the numpy kernel takes the sets. {SHA1}: what no way of "
                f"hashing each token in DuckDB can be faster than. {OMITTED} is a peer that is not installed. "
                "ModelHub and datasketch return the same numbers (checked); rensa hashes with FxHash instead of SHA-1.",
            )
    report.write(given.results, "minhash")


if __name__ == "__main__":
    main()
