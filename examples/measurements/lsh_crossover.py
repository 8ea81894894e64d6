"""From which size of a hub on LSH finds related distributions faster than one matrix product of all.

Made-up hubs of distributions like those of 162 real sensor tables (``sensor_tables.py``); most are
far from each other, a query has a few relatives.

    python examples/measurements/lsh_crossover.py --data data
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sensor_tables import arguments, prepared, table, timed, vectors

from modelhub_sql import tuning
from modelhub_sql.udfs.divergence import close_pairs
from modelhub_sql.udfs.jslsh import hashes

Floats = npt.NDArray[np.float64]
Pairs = set[tuple[int, int]]


class Crossover(NamedTuple):
    """A hub of made-up distributions; milliseconds a query, sixteen queries at once, the best of five passes."""

    positions: int
    max_js: float
    distributions: int
    related: float
    bands: int
    rows: int
    recall: float
    candidates: float
    matrix: float
    bands_joined: float
    bands_looked_up: float
    verification: float


def made_up(base: Floats, count: int, queries: int, rng: np.random.Generator) -> Floats:
    """Square roots of distributions, mostly far from each other; the first ``queries`` have eight relatives each.

    A row is a table's distribution with its positions shifted and with noise; a relative of a query
    is the query with noise, JS from about 0.001 to 0.1.
    """
    p = np.empty((count, base.shape[1]))
    columns = np.arange(base.shape[1])
    for start in range(0, count, 1000):
        n = min(1000, count - start)
        shift = rng.integers(0, base.shape[1], n)
        p[start : start + n] = base[rng.integers(0, len(base), n)[:, None], (columns - shift[:, None]) % base.shape[1]]
        p[start : start + n] *= np.exp(rng.normal(0, 0.3, (n, base.shape[1])))
    for query in range(queries):
        for relative, noise in enumerate(np.linspace(0.1, 0.8, 8)):
            p[queries + 8 * query + relative] = p[query] * np.exp(rng.normal(0, noise, base.shape[1]))
    roots: Floats = np.sqrt(p / p.sum(axis=1, keepdims=True))
    return roots


class BandIndex:
    """The bands of distributions as numbers, in the order of the numbers."""

    def __init__(self, roots: Floats, bands: int, rows: int, width: float, rng: np.random.Generator) -> None:
        self.bands, self.rows, self.width = bands, rows, width
        self.directions, self.shifts = rng.normal(size=(bands * rows, roots.shape[1])), rng.random(bands * rows)
        self.factors = rng.integers(1, 2**63, rows, dtype=np.uint64) | np.uint64(1)
        self.salts = rng.integers(1, 2**63, bands, dtype=np.uint64)
        keys = np.concatenate([self.keys(roots[start : start + 10_000]) for start in range(0, len(roots), 10_000)])
        order = np.argsort(keys, kind="stable")
        self.sorted, self.member = keys[order], np.repeat(np.arange(len(roots)), bands)[order]

    def keys(self, roots: Floats) -> npt.NDArray[np.uint64]:
        """A number for each band of each row; equal for equal bands."""
        cells = hashes(roots, self.directions, self.shifts, self.width).view(np.uint64)
        keys: npt.NDArray[np.uint64] = (
            (cells.reshape(-1, self.bands, self.rows) * self.factors).sum(axis=2) + self.salts
        ).ravel()
        return keys

    def look_up(self, asked: Floats) -> list[npt.NDArray[np.intp]]:
        """The rows that share a band, for each of the distributions asked for, by binary search."""
        wanted = self.keys(asked)
        first, last = np.searchsorted(self.sorted, wanted), np.searchsorted(self.sorted, wanted, side="right")
        hits = [self.member[a:b] for a, b in zip(first, last, strict=True)]
        return [np.unique(np.concatenate(hits[q * self.bands : (q + 1) * self.bands])) for q in range(len(asked))]

    def join(self, con: duckdb.DuckDBPyConnection, asked: Floats) -> list[npt.NDArray[np.intp]]:
        """The same by a join in DuckDB, of the table ``band``."""
        con.register("asked", pa.table({"key": self.keys(asked), "query": np.repeat(np.arange(len(asked)), self.bands)}))
        found = con.execute("SELECT DISTINCT member, query FROM band JOIN asked USING (key) ORDER BY ALL").fetchnumpy()
        return [found["member"][found["query"] == query] for query in range(len(asked))]


def verified(roots: Floats, asked: Floats, candidates: list[npt.NDArray[np.intp]], bound: float) -> Pairs:
    """The candidates with H**2 <= bound."""
    pairs: Pairs = set()
    for query, rows in enumerate(candidates):
        pairs |= {(query, int(row)) for row in rows[1 - roots[rows] @ asked[query] <= bound]}
    return pairs


def crossover(base: Floats, counts: tuple[int, ...], max_js: float, functions: int, queries: int = 16) -> list[Crossover]:
    """LSH and the matrix product on hubs of growing size: finding the pairs that H**2 leaves possible.

    The bands are joined in DuckDB as numbers; or looked up by binary search in a sorted numpy
    array, the best that an index could do. Candidates are verified by numpy, a query at a time.
    """
    bands, rows, width = tuning.tune_jslsh(functions=functions)
    bound = max_js / math.log(2)
    results = []
    for count in counts:
        rng = np.random.default_rng(0)
        roots = made_up(base, count, queries, rng)
        asked = roots[:queries].copy()
        index = BandIndex(roots, bands, rows, width * tuning.match_distance(max_js), rng)
        times: dict[str, list[float]] = {"matrix": [], "join": [], "look up": [], "verify": []}
        with duckdb.connect() as con:
            con.register("given", pa.table({"key": index.sorted, "member": index.member}))
            con.execute("CREATE TABLE band AS FROM given ORDER BY member")
            for _ in range(5):
                seconds, (close, query, _) = timed(close_pairs, roots, asked, bound)
                times["matrix"].append(seconds)
                seconds, joined = timed(index.join, con, asked)
                times["join"].append(seconds)
                seconds, looked = timed(index.look_up, asked)
                times["look up"].append(seconds)
                seconds, found = timed(verified, roots, asked, looked, bound)
                times["verify"].append(seconds)
        assert all(map(np.array_equal, joined, looked)), "the join and the look-up find the same"
        exact = set(zip(query.tolist(), close.tolist(), strict=True))
        assert found <= exact, "precision is 1"
        best = {way: min(values) / queries * 1e3 for way, values in times.items()}
        candidates = sum(len(some) for some in looked) / queries / count
        results.append(
            Crossover(
                *(base.shape[1], max_js, count, len(exact) / queries, bands, rows, len(found) / len(exact), candidates),
                *(best["matrix"], best["join"] + best["verify"], best["look up"] + best["verify"], best["verify"]),
            )
        )
        print(f"{count} distributions of {base.shape[1]} positions, t = {max_js:g}", flush=True)
    return results


def main() -> None:
    given, rows = arguments(__doc__, "small hubs")
    with prepared(rows, "aligned") as con:
        base = vectors(con)[1]
    small = base[:, : max(200, base.shape[1] // 9)] ** 2
    small /= np.maximum(small.sum(axis=1, keepdims=True), 1e-9)
    sizes = [(small, (300, 1000))] if given.fast else [(small, (1000, 10_000, 100_000)), (base**2, (1000, 10_000, 50_000))]
    crossed = [
        result
        for some, counts in sizes
        for max_js, functions in ((0.1, 128), (0.1, 512), (0.01, 128))
        for result in crossover(some, counts, max_js, functions)
    ]
    report(given.results, crossed)
    plot(given.results, crossed)


def report(folder: Path, crossed: list[Crossover]) -> None:
    """Write the table."""
    with (folder / "lsh_crossover.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Crossover._fields)
        writer.writerows(crossed)
    lines = [
        "# LSH against a matrix product",
        "",
        "Made-up hubs with few related distributions; milliseconds a query, sixteen at once, the best of five passes, to find",
        "the pairs with H2 <= t / ln 2: one matrix product in numpy; the bands joined as numbers in DuckDB, or looked up by",
        "binary search in a sorted array, and the candidates verified by numpy.",
        "",
        *table(
            "positions | t | distributions | related a query | L, K | recall | candidates | matrix | join | look-up"
            " | of both: verification",
            [
                f"{c.positions} | {c.max_js:g} | {c.distributions} | {c.related:.1f} | {c.bands}, {c.rows} | {c.recall:.4f}"
                f" | {c.candidates:.4f} | {c.matrix:.3f} | {c.bands_joined:.3f} | {c.bands_looked_up:.3f} | {c.verification:.3f}"
                for c in crossed
            ],
        ),
    ]
    (folder / "lsh_crossover.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def plot(folder: Path, crossed: list[Crossover]) -> None:
    """Draw the times against the size of the hub, where matplotlib is installed."""
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        print("no plot: pip install matplotlib")
        return
    figure, axes = pyplot.subplots(figsize=(7, 6))
    most = max(c.positions for c in crossed)
    large = [c for c in crossed if c.positions == most]
    for colour, (max_js, bands) in enumerate(dict.fromkeys((c.max_js, c.bands) for c in large)):
        results = [c for c in large if (c.max_js, c.bands) == (max_js, bands)]
        counts = [c.distributions for c in results]
        if not colour:
            axes.plot(counts, [c.matrix for c in results], "k-o", label="matrix product")
        name = f"t = {max_js:g}, L = {bands}"
        axes.plot(counts, [c.bands_joined for c in results], "--o", color=f"C{colour}", label=f"bands joined, {name}")
        axes.plot(counts, [c.bands_looked_up for c in results], ":s", color=f"C{colour}", label=f"bands looked up, {name}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("distributions in the hub")
    axes.set_ylabel("ms a query")
    axes.set_title(f"Crossover, {most} positions")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)
    figure.tight_layout()
    figure.savefig(folder / "lsh_crossover.png", dpi=90)


if __name__ == "__main__":
    main()
