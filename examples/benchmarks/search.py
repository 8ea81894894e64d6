"""Searching hubs of known answers: latency, memory, size, growth and recall.

Hubs are made by ``synthetic_hub.py``; a target is drawn from the distribution of one model's
data, which must come first. Latency is measured with the numpy functions and with the SQL of the
file alone, in turn; memory and a cold first search in a process each.

    python examples/benchmarks/search.py [--full]
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import synthetic_hub
from measuring import OMITTED, Report, Timing, arguments, in_a_process, number, peak_megabytes, peer, ratio, side_by_side

import modelhub_sql

OURS, PYTHON, SQL_ALONE, SCIPY = "ModelHub, numpy", "Hub.find_models", "ModelHub, SQL alone", "scipy cdist"
TOP = 10
#: scipy compares every pair of partitions: only while there are at most so many.
MOST_PAIRS = 100_000

Floats = npt.NDArray[np.float64]
Found = list[tuple[Any, ...]]


def write_target(path: Path, models: int, families: int, model: int, partitions: int, partition_size: int) -> str:
    """A target drawn from the distribution of a model's data; returns what the model is called."""
    first, p = synthetic_hub.dataset_distribution(model % families, model // families)
    pq.write_table(synthetic_hub.values(first, p, partitions * partition_size, seed=models + model), path)
    return f"m{model + 1}"


def search(con: duckdb.DuckDBPyConnection, path: Path, **options: Any) -> Found:
    """Model, adaptivity and the threshold chosen, of all models found."""
    named = "".join(f", {name} := ${name}" for name in options)
    query = f"SELECT model, adaptivity, max_js FROM find_models($target, details := true{named}) ORDER BY rank"
    return con.execute(query, {"target": str(path), **options}).fetchall()


def search_in_python(hub: modelhub_sql.Hub, path: Path) -> Found:
    """The same by the method, which checks its arguments, and plans only the forms that the target has."""
    found: Found = hub.find_models(path, details=True).select("model, adaptivity, max_js").fetchall()
    return found


def search_once(hub_path: str, target: str, way: str) -> None:
    """Open the hub, search once, print seconds and memory."""
    started = time.perf_counter()
    # A hub that nobody keeps closes its connection.
    opened = (modelhub_sql.connect if way == OURS else duckdb.connect)(hub_path, read_only=True)
    found = search(opened.con if isinstance(opened, modelhub_sql.Hub) else opened, Path(target))
    seconds = time.perf_counter() - started
    opened.close()
    print(json.dumps({"seconds": seconds, "peak": peak_megabytes(), "first": found[0][0]}))


def distributions(con: duckdb.DuckDBPyConnection, query: str, partition_size: int) -> Floats:
    """Distributions of partitions over (feature, bin), each feature weighing the same; a row is a partition."""
    columns = con.execute(query).fetchnumpy()
    row, feature, bins, counts = (columns[name].astype(np.int64) for name in ("row", "feature", "bin", "count"))
    # Whole numbers of one octave, at a resolution of one or finer.
    width = synthetic_hub.LEAST
    dense = np.zeros((int(row.max()) + 1, synthetic_hub.FEATURES * width))
    dense[row, (feature - 1) * width + bins - synthetic_hub.LEAST] = counts / (partition_size * synthetic_hub.FEATURES)
    return dense


def brute_force(con: duckdb.DuckDBPyConnection, target: Path, partition_size: int) -> Callable[[], Floats]:
    """scipy's Jensen-Shannon distance of every partition of the hub from every one of the target, distributions ready."""
    distance = peer("scipy.spatial.distance")
    assert distance is not None
    sources = distributions(
        con,
        f"""
        SELECT (dataset_id - 1) * {synthetic_hub.PARTITIONS} + partition_id AS row, feature_id AS feature,
            unnest(bins) AS bin, unnest(h.counts) AS count
        FROM histograms AS h JOIN features USING (dataset_id, feature_id)
        """,
        partition_size,
    )
    targets = distributions(
        con,
        f"""
        SELECT partition_id AS row, feature_id AS feature, unnest(bins) AS bin, unnest(counts) AS count FROM (
            SELECT feature_id, bins, unnest(range(len(partitions))) AS partition_id, unnest(partitions) AS counts
            FROM sketch('{target}')
        )
        """,
        partition_size,
    )
    used = sources.any(axis=0) | targets.any(axis=0)
    sources, targets = sources[:, used], targets[:, used]

    def run() -> Floats:
        divergences: Floats = distance.cdist(sources, targets, "jensenshannon") ** 2
        return divergences

    return run


def check(timings: dict[str, Timing], known: str, partitions: int) -> None:
    """All find the same, the known answer first; scipy counts the same matches of it."""
    found = [timings[way].result for way in (OURS, PYTHON, SQL_ALONE) if way in timings]
    if not found:
        return
    ours = found[0]
    # Sums in another order differ in the last digits.
    for theirs in found[1:]:
        for mine, other in zip(ours[:TOP], theirs[:TOP], strict=True):
            assert mine[0] == other[0], "the numpy functions and the SQL alone find different models"
            assert np.isclose(mine[1], other[1]), mine
    if partitions >= 10:
        assert ours[0][0] == known, f"{known} must be first, not {ours[0][0]}"
    if SCIPY in timings:
        divergences = timings[SCIPY].result
        for model, adaptivity, max_js in ours[:TOP]:
            start = (int(model[1:]) - 1) * synthetic_hub.PARTITIONS
            matches = (divergences[start : start + synthetic_hub.PARTITIONS] <= max_js).sum()
            # LSH may miss a pair at the threshold; it never counts one that is farther apart.
            assert 0.9 * matches - 1 <= adaptivity * partitions <= matches + 1, model


def shown(cold: dict[str, dict[str, Any]], timings: dict[str, Timing], smallest: Timing | None) -> list[str]:
    """The measured columns of a row of latencies; who was stopped when cold was not run again."""
    peaks = [cold[way].get("error") or f"{number(cold[way]['peak'])} MB" for way in (OURS, SQL_ALONE)]
    ours, rest = timings.get(OURS), [timings.get(name) for name in (PYTHON, SQL_ALONE, SCIPY)]
    if ours is None:
        seconds = [OMITTED if timing is None else f"{number(timing.median)} s" for timing in rest]
        return [cold[OURS]["error"], OMITTED, OMITTED, OMITTED, *seconds, *peaks]
    growth = OMITTED if smallest is None else ratio(ours, smallest)
    times = [f"{number(value)} s" for value in (cold[OURS]["seconds"], ours.first, ours.median)]
    return [*times, growth, *(ratio(timing, ours) for timing in rest), *peaks]


def recall(
    hub_path: Path, folder: Path, models: int, families: int, queries: int, partitions: int, candidates: int, size: int
) -> list[list[str]]:
    """How the top of a default search and of JS-LSH compares to an exact one over more candidates."""
    exact_path = folder / "exact.duckdb"
    shutil.copy(hub_path, exact_path)
    rng = np.random.default_rng(models)
    known_first = dict.fromkeys(("auto", "lsh"), 0)
    equal = dict.fromkeys(("auto", "lsh"), 0)
    common = dict.fromkeys(("auto", "lsh"), 0.0)
    target = folder / "query.parquet"
    with modelhub_sql.connect(hub_path, read_only=True) as hub, modelhub_sql.connect(exact_path) as exact:
        exact.set(max_candidates=candidates)
        stock = duckdb.connect(str(hub_path), read_only=True)
        for model in rng.choice(models, queries, replace=queries > models).tolist():
            known = write_target(target, models, families, model, partitions, size)
            found = {"auto": search(hub.con, target)}
            max_js = found["auto"][0][2]
            found["lsh"] = search(stock, target, search="lsh", max_js=max_js)
            best = [name for name, *_ in search(exact.con, target, search="exact", max_js=max_js)[:TOP]]
            for way, rows in found.items():
                top = [name for name, *_ in rows[:TOP]]
                known_first[way] += top[0] == known
                equal[way] += top == best
                common[way] += len(set(top) & set(best)) / len(best)
        stock.close()
    exact_path.unlink()
    size_of = [f"{models:,}", str(models // families), f"{partitions:,}", str(queries), f"{candidates:,}"]
    return [
        [*size_of, way, f"{equal[way] / queries:.3f}", f"{common[way] / queries:.3f}", f"{known_first[way] / queries:.3f}"]
        for way in ("auto", "lsh")
    ]


def main() -> None:
    given = arguments(
        __doc__,
        models=([30, 100], [100, 1000, 10_000], "models in each hub"),
        family=([10], [10, 100], "models of data that is alike, in each hub"),
        targets=([1, 10, 100], [1, 10, 100, 1000], "partitions of each target"),
        queries=([10], [50], "searches to compare with the exact one"),
        query_partitions=([10], [10, 100], "partitions of their targets"),
        timeout=([60.0], [120.0], "seconds after which a cold search is stopped, and not repeated"),
        reference_candidates=([1000], [1000], "datasets whose partitions the exact reference compares, at most"),
    )
    if given.child:
        search_once(*given.child)
        return
    report = Report("Searching", given.full, ("scipy",))
    latency, recalls, sizes = [], [], []
    smallest: dict[tuple[int, int], Timing | None] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for family, models in itertools.product(given.family, given.models):
            families = max(1, models // family)
            alike = str(models // families)
            path = folder / f"hub{models}.duckdb"
            with modelhub_sql.connect(path) as hub:
                synthetic_hub.fill(hub, models, families)
                size = int(hub.sql("SELECT value FROM settings WHERE setting = 'partition_size'").fetchall()[0][0])
                (bins,) = hub.con.execute("SELECT sum(len(list_filter(counts, lambda n: n > 0))) FROM histograms").fetchall()[0]
            stored = path.stat().st_size
            size_of = [f"{number(stored / 2**20)} MB", f"{number(stored / models / 1e3)} kB", f"{number(stored / bins)}"]
            sizes.append([f"{models:,}", alike, *size_of])
            for partitions in given.targets:
                target = folder / "target.parquet"
                known = write_target(target, models, families, min(3, models - 1), partitions, size)
                limit = given.timeout[0]
                cold = {
                    way: in_a_process(__file__, "--child", str(path), str(target), way, timeout=limit)
                    for way in (OURS, SQL_ALONE)
                }
                with modelhub_sql.connect(path, read_only=True) as hub:
                    stock = duckdb.connect(str(path), read_only=True)
                    ways = {OURS: hub.con, SQL_ALONE: stock}
                    runs: dict[str, Callable[[], Any]] = {
                        way: partial(search, con, target) for way, con in ways.items() if "error" not in cold[way]
                    }
                    if OURS in runs:
                        runs[PYTHON] = partial(search_in_python, hub, target)
                    if peer("scipy.spatial.distance") and models * synthetic_hub.PARTITIONS * partitions <= MOST_PAIRS:
                        runs[SCIPY] = brute_force(stock, target, size)
                    timings = side_by_side(runs, given.repeats, given.budget)
                    stock.close()
                check(timings, known, partitions)
                first = smallest.setdefault((family, partitions), timings.get(OURS))
                latency.append([f"{models:,}", alike, f"{partitions:,}", *shown(cold, timings, first)])
            for partitions in given.query_partitions:
                candidates = min(models, given.reference_candidates[0])
                recalls += recall(path, folder, models, families, given.queries[0], partitions, candidates, size)
            path.unlink()
    report.table(
        "Latency and memory",
        [
            "models",
            "alike",
            "target partitions",
            "cold",
            "first",
            f"{OURS}, median",
            "growth",
            PYTHON,
            SQL_ALONE,
            SCIPY,
            "peak, numpy",
            "peak, SQL alone",
        ],
        latency,
        f"Each model has {synthetic_hub.PARTITIONS} partitions of {synthetic_hub.FEATURES} features. Alike: so many models "
        "each are trained on data of one kind; the more, the more of them have to be compared partition by partition. The "
        "target is a parquet file. Cold: a new process opens the hub and searches once, whose peak memory stands at the end. "
        "First: the first of the repeated searches. Growth: the median divided by that of the smallest hub. "
        f"{PYTHON}, {SQL_ALONE} and {SCIPY}: times divided by the median of {OURS}: above 1 is slower. "
        f"{SCIPY} gets distributions that are ready, does no overlap search and no ranking, and compares all pairs of "
        f"partitions; {OMITTED} above {MOST_PAIRS:,} of them or where it is not installed. "
        "Where the numpy functions were stopped, seconds stand instead of ratios.",
    )
    report.table(
        "Size",
        ["models", "alike", "file", "a model", "bytes a non-zero bin of a partition"],
        sizes,
        "Non-zero bins of all histograms of partitions; the file has everything else too.",
    )
    report.table(
        f"Recall of the first {TOP}",
        [
            *("models", "alike", "target partitions", "queries", "candidates of the reference", "search"),
            *(f"same {TOP} in the same order", f"share of the {TOP}", "known answer first"),
        ],
        recalls,
        "Against search := 'exact' over more candidates and with the threshold that the default search chose. "
        "Shares of the queries. lsh is searched with the SQL alone.",
    )
    report.write(given.results, "search")


if __name__ == "__main__":
    main()
