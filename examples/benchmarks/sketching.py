"""Sketching a parquet file: the hub's ``sketch`` against profilers, MinHash libraries and two floors.

Every contestant starts from the same file, made here from a seed. A peer gets no file of more
cells (rows x columns) than its limit; nothing is scaled from a smaller file. At the end a table
larger than DuckDB's ``memory_limit`` is registered in a process of its own.

    python examples/benchmarks/sketching.py [--full]
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasketch import MinHash
from measuring import OMITTED, Report, Timing, arguments, in_a_process, number, peak_megabytes, peer, ratio, side_by_side

import modelhub_sql

SEED = 1
CHUNK = 100_000  # rows made at a time
WORDS = 6  # in a text
VOCABULARY = 50_000
KINDS = ("numeric", "categorical", "text")
OURS, SQL_ALONE = "ModelHub, numpy", "ModelHub, SQL alone"
AGGREGATES, BINCOUNT = "DuckDB aggregates", "numpy bincount"
PEERS = ("whylogs", "evidently", "datasketch", "rensa")

#: Most cells that a contestant is given; the others get every file.
LIMITS = {"whylogs": 10_000_000, "evidently": 1_000_000, "datasketch": 10_000_000, "rensa": 10_000_000}


def column(kind: str, centre: int, rows: int, rng: np.random.Generator) -> pa.Array:
    """A column of normal numbers, of 50 categories, or of texts of words by Zipf's law."""
    if kind == "numeric":
        return pa.array(rng.normal(centre, 10, rows))
    if kind == "categorical":
        return pa.array([f"category{i}" for i in range(50)]).take(pa.array(rng.integers(0, 50, rows)))
    vocabulary = pa.array([f"word{i}" for i in range(VOCABULARY)])
    ranks = np.floor(VOCABULARY ** rng.random((WORDS, rows))).astype(np.int64) - 1
    return pc.binary_join_element_wise(*(vocabulary.take(pa.array(rank)) for rank in ranks), " ")


def write(path: Path, kind: str, rows: int, columns: int) -> None:
    """Make the file, some rows at a time."""
    rng = np.random.default_rng([SEED, KINDS.index(kind)])
    writer = None
    for start in range(0, rows, CHUNK):
        table = pa.table({f"c{i}": column(kind, i, min(CHUNK, rows - start), rng) for i in range(columns)})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def sketch(con: duckdb.DuckDBPyConnection, path: Path) -> Callable[[], list[tuple[Any, ...]]]:
    """Our sketch; returns it without the partitions."""

    def run() -> list[tuple[Any, ...]]:
        con.execute("CREATE OR REPLACE TEMP TABLE sketched AS FROM sketch(?)", [str(path)])
        # Sums in another order differ in the last digits.
        summed = "mean, effective_bins, spread, dataset_spread"
        query = f"SELECT * EXCLUDE ({summed}, partitions), len(partitions) FROM sketched ORDER BY feature_id"
        return con.execute(query).fetchall()

    return run


def aggregates(con: duckdb.DuckDBPyConnection, path: Path) -> Callable[[], tuple[Any, ...]]:
    """What reading the columns costs: three aggregates of each."""

    def run() -> tuple[Any, ...]:
        query = f"SELECT count(*), min(COLUMNS(*)), max(COLUMNS(*)), approx_count_distinct(COLUMNS(*)) FROM '{path}'"
        return con.execute(query).fetchall()[0]

    return run


def bincount(path: Path, kind: str, size: int) -> Callable[[], list[npt.NDArray[np.intp]]]:
    """The histograms of partitions of rows in order, bins of width one, and nothing else, one column after the other."""

    def run() -> list[npt.NDArray[np.intp]]:
        histograms = []
        for values in pq.read_table(path).columns:
            partition = np.arange(len(values)) // size
            if kind == "numeric":
                code = np.floor(values.to_numpy()).astype(np.int64)
                code -= code.min()
                width = int(code.max()) + 1
            else:
                encoded = values.combine_chunks().dictionary_encode()
                code, width = encoded.indices.to_numpy(), len(encoded.dictionary)
            counts = np.bincount(partition * width + code, minlength=(int(partition[-1]) + 1) * width)
            histograms.append(counts.reshape(-1, width))
        return histograms

    return run


def whylogs_profile(path: Path) -> list[float]:
    """A whylogs profile of the table; returns the values counted in each column."""
    whylogs = peer("whylogs")
    assert whylogs is not None
    view = whylogs.log(pq.read_table(path).to_pandas()).view()
    return [float(profile.get_metric("counts").n.value) for profile in view.get_columns().values()]


def evidently_summary(path: Path, kind: str) -> dict[str, Any]:
    """Evidently's summary of the table."""
    evidently, presets = peer("evidently"), peer("evidently.presets")
    assert evidently is not None
    assert presets is not None
    frame = pq.read_table(path).to_pandas()
    definition = evidently.DataDefinition(**{f"{'numerical' if kind == 'numeric' else kind}_columns": list(frame)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = evidently.Dataset.from_pandas(frame, data_definition=definition)
        summary: dict[str, Any] = evidently.Report([presets.DataSummaryPreset()]).run(dataset, None).dict()
    return summary


def token_sets(path: Path, kind: str) -> list[list[str]]:
    """The distinct values of each column as strings, or its distinct words: what a MinHash library is given."""
    columns = pq.read_table(path).columns
    if kind == "text":
        return [pc.unique(pc.list_flatten(pc.utf8_split_whitespace(values))).to_pylist() for values in columns]
    return [[str(value) for value in pc.unique(values).to_pylist()] for values in columns]


def datasketch_signatures(path: Path, kind: str, functions: int) -> list[Any]:
    """A MinHash of each column."""
    signatures = []
    for tokens in token_sets(path, kind):
        minhash = MinHash(num_perm=functions, seed=SEED, scheme="affine32")
        for start in range(0, len(tokens), 1000):
            minhash.update_batch([token.encode() for token in tokens[start : start + 1000]])
        signatures.append(minhash.hashvalues)
    return signatures


def rensa_signatures(path: Path, kind: str, functions: int) -> list[list[int]]:
    """An RMinHash of each column, all in one batch."""
    rensa = peer("rensa")
    assert rensa is not None
    rows: list[list[int]] = rensa.RMinHash.digest_matrix_from_token_sets(token_sets(path, kind), functions, SEED).to_rows()
    return rows


def contestants(hub: modelhub_sql.Hub, path: Path, kind: str, cells: int) -> dict[str, Callable[[], Any]]:
    """Who is run on a file of so many cells."""
    settings = dict(hub.sql("SELECT setting, value FROM settings").fetchall())
    functions = int(settings["minhash_bands"]) * int(settings["minhash_rows"])
    stock = duckdb.connect(hub.path)
    runs: dict[str, Callable[[], Any]] = {
        OURS: sketch(hub.con, path),
        SQL_ALONE: sketch(stock, path),
        "whylogs": lambda: whylogs_profile(path),
        "evidently": lambda: evidently_summary(path, kind),
        "datasketch": lambda: datasketch_signatures(path, kind, functions),
        "rensa": lambda: rensa_signatures(path, kind, functions),
        AGGREGATES: aggregates(stock, path),
    }
    if kind != "text":
        runs[BINCOUNT] = bincount(path, kind, int(settings["partition_size"]))
    return {name: run for name, run in runs.items() if cells <= LIMITS.get(name, cells) and (name not in PEERS or peer(name))}


def check(timings: dict[str, Timing], kind: str, rows: int, columns: int) -> None:
    """Everyone has seen the same cells: rows, columns and, where they say it, values."""
    ours = timings[OURS].result
    assert ours == timings[SQL_ALONE].result, "the numpy functions and the SQL alone make different sketches"
    assert [row[3] for row in ours] == [rows * (WORDS if kind == "text" else 1)] * columns
    assert timings[AGGREGATES].result[0] == rows
    if "whylogs" in timings:
        assert timings["whylogs"].result == [float(rows)] * columns
    for name in ("datasketch", "rensa"):
        assert name not in timings or len(timings[name].result) == columns
    if BINCOUNT in timings:
        histograms = timings[BINCOUNT].result
        assert [int(counts.sum()) for counts in histograms] == [rows] * columns


def register_in_little_memory(path: str, hub_path: str, limit: str) -> None:
    """Register a file under a ``memory_limit`` and print what it took, or what DuckDB said."""
    idle = peak_megabytes()
    with modelhub_sql.connect(hub_path) as hub:
        hub.con.execute(f"SET memory_limit = '{limit}MB'")
        started = time.perf_counter()
        try:
            hub.register("large", path)
            outcome = "yes"
        except (duckdb.Error, modelhub_sql.HubError) as error:
            outcome = "no: " + str(error).splitlines()[0].replace(path, "the file")
        seconds = time.perf_counter() - started
    print(json.dumps({"idle": idle, "peak": peak_megabytes(), "seconds": seconds, "finished": outcome}))


def memory_rows(folder: Path, kinds: Sequence[str], shape: tuple[int, int], limit: int) -> list[list[str]]:
    """The table of ``register_in_little_memory``."""
    rows, columns = shape
    found = []
    for kind in kinds:
        path = folder / "large.parquet"
        write(path, kind, rows, columns)
        in_memory = sum(batch.nbytes for batch in pq.ParquetFile(path).iter_batches()) / 2**20
        took = in_a_process(__file__, "--child", str(path), str(folder / f"{kind}.duckdb"), str(limit))
        shown = [kind, f"{rows:,} x {columns}", f"{number(in_memory)} MB", f"{limit} MB", f"{number(in_memory / limit)} x"]
        if "error" in took:
            found.append([*shown, OMITTED, OMITTED, OMITTED, f"no: {took['error']}"])
        else:
            measured = [f"{number(took['idle'])} MB", f"{number(took['peak'])} MB", f"{number(took['seconds'])} s"]
            found.append([*shown, *measured, took["finished"]])
    return found


def parsed(shape: str) -> tuple[int, int]:
    """ROWSxCOLUMNS."""
    rows, _, columns = shape.partition("x")
    return int(rows), int(columns)


def main() -> None:
    given = arguments(
        __doc__,
        shapes=(
            ["10000x10", "100000x10"],
            ["10000x10", "100000x10", "1000000x10", "10000000x10", "10000x500", "100000x500"],
            "files, rows x columns",
        ),
        most_text=([1_000_000], [10_000_000], "cells of the largest file of text"),
        kinds=(list(KINDS), list(KINDS), "kinds of columns"),
        memory_shape=(["2000000x10"], ["10000000x10"], "table larger than the memory"),
        memory_kinds=(["numeric"], ["numeric", "categorical"], "kinds of that table"),
        memory_limit=([50], [200], "MB that DuckDB may use for it"),
    )
    if given.child:
        register_in_little_memory(*given.child)
        return
    report = Report("Sketching", given.full, ("pyarrow", "datasketch", *(name for name in PEERS if name != "datasketch")))
    others = [SQL_ALONE, *PEERS, AGGREGATES, BINCOUNT]
    table = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path = folder / "file.parquet"
        with modelhub_sql.connect(folder / "hub.duckdb") as hub:
            for kind in given.kinds:
                for rows, columns in map(parsed, given.shapes):
                    if kind == "text" and rows * columns > given.most_text[0]:
                        continue
                    write(path, kind, rows, columns)
                    timings = side_by_side(contestants(hub, path, kind, rows * columns), given.repeats, given.budget)
                    check(timings, kind, rows, columns)
                    ours = timings[OURS]
                    shown = [
                        kind,
                        f"{rows:,} x {columns}",
                        f"{number(ours.median)} s",
                        f"{number(rows * columns / ours.median / 1e6)} M/s",
                    ]
                    table.append([*shown, *(ratio(timings.get(name), ours) for name in others)])
        report.table(
            "From a parquet file to a sketch",
            ["kind", "rows x columns", OURS, "cells", *others],
            table,
            f"Times divided by that of {OURS}: above 1 is slower than our sketch. {OMITTED}: not run, because it is not "
            "installed, does not apply or the file has more cells than its limit ("
            + ", ".join(f"{name} {limit:,}" for name, limit in LIMITS.items())
            + f"; no text above {given.most_text[0]:,} cells). Nothing is scaled. whylogs and evidently get the file as a pandas "
            "DataFrame, whose reading is counted; datasketch and rensa compute one signature of the distinct values (of text: "
            "words) of each column, and no histogram. Floors: DuckDB's count, min, max and approx_count_distinct of each column; "
            "numpy's floor (or Arrow's dictionary) and bincount of partitions of consecutive rows.",
        )
        report.table(
            "Memory",
            ["kind", "rows x columns", "in memory", "memory_limit", "table / limit", "peak before", "peak", "time", "finished"],
            memory_rows(folder, given.memory_kinds, parsed(given.memory_shape[0]), given.memory_limit[0]),
            "Registering in a process of its own. The peak is the resident memory of the whole process; before is with the "
            "libraries loaded and no hub open. memory_limit binds DuckDB's buffers only.",
        )
    report.write(given.results, "sketching")


if __name__ == "__main__":
    main()
