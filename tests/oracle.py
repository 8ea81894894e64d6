"""What the hub must answer, by brute force: the documented formulas in exact arithmetic, numpy and scipy; nothing of the package.

A feature is its values: floats (NaN is missing) for numbers, lists of tokens (None is missing) for text.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.spatial.distance import jensenshannon

Floats = npt.NDArray[np.float64]
Distribution = Mapping[float, float]
LN2 = math.log(2)


class Resolution(NamedTuple):
    """The smallest bins are 2**k wide; b bits of a number count."""

    k: int
    b: int


class Feature(NamedTuple):
    """kind: number or text. resolution: of numbers. cells: each row's bins, at the resolution; none where it is missing."""

    kind: str
    resolution: Resolution | None
    cells: list[list[float]]

    @property
    def counts(self) -> Counter[float]:
        """Occurrences of each bin."""
        return Counter(bin for cell in self.cells for bin in cell)


# -- bins ------------------------------------------------------------------------------------------------


def octave(x: float) -> int:
    """floor(log2 |x|) of a finite number other than 0, from its own bits."""
    numerator, denominator = abs(x).as_integer_ratio()
    found = numerator.bit_length() - denominator.bit_length()
    return found if Fraction(numerator, denominator) >= Fraction(2) ** found else found - 1


def quantum(x: float, resolution: Resolution) -> Fraction:
    """Width of the bins at x: max(2**k, 2**(octave(x) - b)). A bin is never below the least number that there is."""
    k, b = resolution
    return max(Fraction(2) ** k, Fraction(2) ** max(-1074, octave(x) - b)) if x else Fraction(2) ** k


def number_bin(x: float, resolution: Resolution) -> float:
    """Lower end of the bin of a number: floor(x / quantum) * quantum, in exact arithmetic. An infinity is its own bin."""
    if math.isinf(x):
        return x
    step = quantum(x, resolution)
    lower = math.floor(Fraction(x) / step) * step
    # Below all numbers: the name of the last bin of the negative ones.
    return -math.inf if lower <= -(Fraction(2) ** 1024) else float(lower)


def coarser(one: Resolution, other: Resolution) -> Resolution:
    """What two features are compared at."""
    return Resolution(max(one.k, other.k), min(one.b, other.b))


def resolution(sample: Sequence[float]) -> Resolution:
    """Chosen from a sample: 2**k an eighth of the interquartile range (else of 5-95 %, else of the range), b = octave of the bulk - k."""
    values = sorted(x for x in sample if math.isfinite(x))
    if not values:
        return Resolution(-30, 20)

    def at(share: float) -> float:
        return values[math.floor(share * (len(values) - 1))]

    low, high = at(0.05), at(0.95)
    bulk = max(abs(low), abs(high))
    for lower, upper in ((at(0.25), at(0.75)), (low, high), (values[0], values[-1])):
        if upper > lower:
            k = octave(upper - lower) - 3 if math.isfinite(upper - lower) else 1020
            break
    else:
        if values[0] == 0:
            return Resolution(-30, 20)
        k = octave(values[0]) - 20
    k = max(-1000, min(1000, k))
    return Resolution(k, max(3, min(52, octave(bulk) - k if bulk else 3)))


def coarsened(values: Sequence[float], chosen: Resolution, most_bins: int = 256) -> Resolution:
    """The first of (k, b), (k + 1, b - 1), ... at which the values take at most so many bins."""
    distinct = {x for x in values if not math.isnan(x)}
    while len({number_bin(x, chosen) for x in distinct}) > most_bins and chosen.k < 1022:
        chosen = Resolution(chosen.k + 1, max(0, chosen.b - 1))
    return chosen


def sample(values: Sequence[float], size: int = 2000, seed: int = 1) -> list[float]:
    """Rows that the resolution is chosen from: those whose place in the permutation of the rows is below the size."""
    place = (np.arange(len(values)) * stride(len(values)) + seed) % len(values)
    return [x for x, at in zip(values, place, strict=True) if at < size]


def text_bin(token: str, bins: int = 1024, salt: str = "") -> float:
    """The first 32 bits of SHA-1 of the salt and the token, little-endian, modulo the bins."""
    return float(int.from_bytes(hashlib.sha1((salt + token).encode()).digest()[:4], "little") % bins)


def feature(column: Sequence[Any]) -> Feature:
    """A feature of its values."""
    if any(isinstance(x, str) for x in column):
        # Tokens of plain words: split at spaces.
        return Feature("text", None, [[] if x is None else [text_bin(word) for word in x.lower().split()] for x in column])
    values = [math.nan if x is None else float(x) for x in column]
    chosen = coarsened(values, resolution(sample(values)))
    return Feature("number", chosen, [[] if math.isnan(x) else [number_bin(x, chosen)] for x in values])


def features(table: pa.Table) -> dict[str, Feature]:
    """The features of a table that have values."""
    found = {name: feature(table[name].to_pylist()) for name in table.column_names}
    return {name: each for name, each in found.items() if each.counts}


# -- partitions ------------------------------------------------------------------------------------------


def stride(rows: int) -> int:
    """The first number from rows / golden ratio on that is coprime to rows."""
    step = max(1, int(rows * 0.6180339887498949))
    while math.gcd(step, rows) != 1:
        step += 1
    return step


def partitions(rows: int, size: int, seed: int = 1) -> npt.NDArray[np.int64]:
    """The documented random partition of each row: (i * stride + seed) mod rows, divided by the size; less than half joins."""
    return np.minimum((np.arange(rows) * stride(rows) + seed) % rows // size, max(1, (2 * rows + size) // (2 * size)) - 1)


# -- distance, sampling error, score, verdict ------------------------------------------------------------


def rebinned(counts: Mapping[float, int], at: Resolution | None) -> dict[float, int]:
    """Counts at a coarser resolution."""
    found: Counter[float] = Counter()
    for bin, n in counts.items():
        found[bin if at is None else number_bin(bin, at)] += n
    return dict(found)


def together(source: Feature, target: Feature) -> tuple[dict[float, int], dict[float, int]]:
    """Counts of both sides at the coarser of both resolutions."""
    at = coarser(source.resolution, target.resolution) if source.resolution and target.resolution else None
    return rebinned(source.counts, at), rebinned(target.counts, at)


class Difference(NamedTuple):
    """Of a feature: distance, what chance explains of it, its standard deviation, and the Jensen-Shannon divergence."""

    distance: float
    expected: float
    deviation: float
    js: float


MISSING = Difference(1, 0, 0, LN2)


def difference(source: Feature, target: Feature) -> Difference:
    """Of two features of one kind; the formulas of the study, bin by bin."""
    x, y = together(source, target)
    a, b = sum(x.values()), sum(y.values())
    bins = sorted(set(x) | set(y))
    distance = 1 - 2 * math.fsum(x[i] * y[i] / (b * x[i] + a * y[i]) for i in bins if i in x and i in y)
    r, n = abs(a - b) / (a + b), a + b
    expected = squares = 0.0
    for i in bins:
        m = x.get(i, 0) + y.get(i, 0)
        seen = 1 - r ** (2 * m)
        expected += seen * (1 - m / n)
        squares += seen * (1 - 1 / m)
    expected *= n / (4 * a * b)
    deviation = n / (4 * a * b) * math.sqrt(2 * squares)
    if source.kind == "text":
        v = max(1.0, *(sum(f.counts.values()) / max(1, sum(bool(cell) for cell in f.cells)) for f in (source, target)))
        expected *= 1 + 0.005 * (v - 1)
        deviation *= (1 + 0.005 * (v - 1)) * math.sqrt(min(v, 25))
    p, q = ([side.get(i, 0) / total for i in bins] for side, total in ((x, a), (y, b)))
    js = float(jensenshannon(p, q) ** 2) if len(bins) > 1 else 0.0
    return Difference(distance, expected, deviation, js)


class Fit(NamedTuple):
    """What is said of a model."""

    distance: float
    expected: float
    deviation: float
    js: float
    score: float
    verdict: str
    shared: int
    missing: int


def fit(
    source: Mapping[str, Feature],
    target: Mapping[str, Feature],
    matches: Mapping[str, str],
    *,
    excluded: Sequence[str] = (),
    rows: int,
    accuracy: float | None = None,
    accuracy_rows: int | None = None,
) -> Fit:
    """A model by brute force. matches: features of the target and the model's that they are compared with."""
    counted = [name for name in target if name.lower() not in [each.lower() for each in excluded]]
    found = {name: difference(source[matches[name]], target[name]) if name in matches else MISSING for name in counted}
    n = len(counted)
    distance, expected, js = (sum(d[i] for d in found.values()) / n for i in (0, 1, 3))
    deviations = [d.deviation for d in found.values()]
    deviation = math.sqrt(0.25 * (sum(deviations) / n) ** 2 + 0.75 * sum(s * s for s in deviations) / n**2)
    judged = sum(d.distance - (0 if target[name].kind == "text" else 2 / 3 * d.expected) for name, d in found.items()) / n
    quality = 0.5 if accuracy is None else wilson(accuracy, accuracy_rows or rows)
    likely = 0.5 + (quality - 0.5) * math.exp(-max(0, judged) / 0.03)
    score = math.sqrt(max(0, judged)) + 3 / math.sqrt(rows * math.sqrt(n)) + 0.25 * (1 - likely)
    return Fit(distance, expected, deviation, js, score, verdict(distance, expected, deviation), len(matches), n - len(matches))


def verdict(distance: float, expected: float, deviation: float) -> str:
    """In words."""
    excess = distance - expected
    return "same" if excess <= 2.5 * deviation else "close" if excess <= 0.05 else "partly" if excess <= 0.2 else "far"


def wilson(p: float, n: int) -> float:
    """Lower end of the 95 % interval of a proportion."""
    z = 1.96
    return (p + z * z / (2 * n) - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def by_name(source: Mapping[str, Feature], target: Mapping[str, Feature]) -> dict[str, str]:
    """Features of the target and those of the same name and kind."""
    named = {name.lower(): name for name in source}
    return {
        name: named[name.lower()]
        for name, each in target.items()
        if name.lower() in named and source[named[name.lower()]].kind == each.kind
    }


# -- features of other names (Def. 3) --------------------------------------------------------------------


def grid(each: Feature) -> Counter[float]:
    """Cells of the grid that all features share, four to an octave, that the bins of a feature begin in; of text its bins."""
    if each.kind == "text":
        return each.counts
    found: Counter[float] = Counter()
    for bin, n in each.counts.items():
        found[number_bin(bin, Resolution(-2000, 2)) if bin else 0.0] += n
    return found


def jaccard(source: Feature, target: Feature, replicas: int = 16) -> float:
    """Jaccard similarity of the cells, each replicated round(replicas * sqrt(frequency)) times, at least one of them once."""
    sides = []
    for counts in (grid(source), grid(target)):
        total = sum(counts.values())
        scale = max(replicas / math.sqrt(total), 0.500001 / math.sqrt(max(counts.values())))
        sides.append({cell: math.floor(scale * math.sqrt(n) + 0.5) for cell, n in counts.items()})
    a, b = sides
    cells = set(a) | set(b)
    most = sum(max(a.get(c, 0), b.get(c, 0)) for c in cells)
    return sum(min(a.get(c, 0), b.get(c, 0)) for c in cells) / most


def effective_bins(each: Feature) -> float:
    """How many even bins say as much."""
    counts = each.counts.values()
    return sum(map(math.sqrt, counts)) ** 2 / sum(counts)


def by_values(source: Mapping[str, Feature], target: Mapping[str, Feature], min_jaccard: float = 0.15) -> dict[str, str]:
    """Def. 3 to the letter: features of one kind above min_jaccard, one to one, the most alike first, whatever their names."""
    scored = sorted(
        (-jaccard(s, t), i, j, t_name, s_name)
        for i, (t_name, t) in enumerate(target.items())
        for j, (s_name, s) in enumerate(source.items())
        if s.kind == t.kind
    )
    matched: dict[str, str] = {}
    for alike, _, _, t_name, s_name in scored:
        if -alike > min_jaccard and t_name not in matched and s_name not in matched.values():
            matched[t_name] = s_name
    return matched


BARS = {"number": (12, 0.48, 0.075), "text": (2.05, 0.3, 0.35)}


def by_both(source: Mapping[str, Feature], target: Mapping[str, Feature], excluded: Sequence[str] = ()) -> dict[str, str]:
    """The default: by name first; what is left by values, above the bars of the kind, numbers only where nothing else is as like."""
    matched = by_name(source, target)
    left = {t: f for t, f in target.items() if t not in matched and t.lower() not in [each.lower() for each in excluded]}
    free = {s: f for s, f in source.items() if s not in matched.values()}
    pairs = []
    for i, (t_name, t) in enumerate(left.items()):
        for j, (s_name, s) in enumerate(free.items()):
            if s.kind != t.kind:
                continue
            bins, least_jaccard, _ = BARS[t.kind]
            if min(effective_bins(t), effective_bins(s)) >= bins and jaccard(s, t) > least_jaccard:
                pairs.append((i, j, t_name, s_name, t.kind, jaccard(s, t), round(difference(s, t).js, 12)))
    rivals: dict[str, list[float]] = {}
    for *_, t_name, s_name, _, _, js in pairs:
        rivals.setdefault("t " + t_name, []).append(js)
        rivals.setdefault("s " + s_name, []).append(js)
    accepted = []
    for i, j, t_name, s_name, kind, alike, js in pairs:
        second = min([*sorted(rivals["t " + t_name])[1:2], *sorted(rivals["s " + s_name])[1:2], 1])
        if js < BARS[kind][2] and (kind == "text" or js < 0.8 * second):
            accepted.append((-alike if kind == "text" else js, i, j, t_name, s_name))
    for _, _, _, t_name, s_name in sorted(accepted):
        if t_name not in matched and s_name not in matched.values():
            matched[t_name] = s_name
    return matched


# -- adaptivity (Def. 2) ---------------------------------------------------------------------------------


class Matches(NamedTuple):
    """Pairs (source partition, target partition) with JS <= t, of so many target partitions."""

    pairs: set[tuple[int, int]]
    target_partitions: int

    @property
    def adaptivity(self) -> float:
        """Matching pairs over the partitions of the target (Def. 2)."""
        return len(self.pairs) / self.target_partitions

    @property
    def coverage(self) -> float:
        """Share of the partitions of the target that match any."""
        return len({target for _, target in self.pairs}) / self.target_partitions


def matches(
    source: Mapping[str, Feature],
    target: Mapping[str, Feature],
    matched: Mapping[str, str],
    places: tuple[Sequence[int], Sequence[int]],
    max_js: float,
    sample_space: str = "aligned",
) -> Matches:
    """All pairs of partitions compared by scipy. places: the partition of each row of source and target."""
    axes: list[dict[float, int]] = []
    shared = list(matched.items())
    resolutions = [
        coarser(source[s].resolution, target[t].resolution) if target[t].resolution else None  # type: ignore[arg-type]
        for t, s in shared
    ]
    sides = []
    for side, place in ((0, places[0]), (1, places[1])):
        blocks = []
        for number, pair in enumerate(shared):
            each = (source[pair[1]], target[pair[0]])[side]
            at = resolutions[number]
            if side == 0:
                bins = {
                    bin if at is None else number_bin(bin, at) for f in (source[pair[1]], target[pair[0]]) for bin in f.counts
                }
                axes.append({bin: i for i, bin in enumerate(sorted(bins))})
            block = np.zeros((max(place) + 1, len(axes[number]) + 1))
            for where, cell in zip(place, each.cells, strict=True):
                for bin in cell:
                    block[where, axes[number][bin if at is None else number_bin(bin, at)]] += 1
            blocks.append(block)
        sides.append(blocks)
    p, q = (distributions(blocks, [target[t].kind for t, _ in shared], axes, sample_space) for blocks in sides)
    pairs = {
        (i, j)
        for i in range(len(p))
        for j in range(len(q))
        if p[i].any() and q[j].any() and jensenshannon(p[i], q[j]) ** 2 <= max_js
    }
    return Matches(pairs, len(q))


def distributions(blocks: list[Floats], kinds: list[str], axes: list[dict[float, int]], sample_space: str) -> Floats:
    """Partitions as distributions over the shared features: side by side, or the bins of a kind added up."""
    if sample_space == "aligned":
        for block in blocks:
            # A partition without a value is at "missing", the last bin.
            block[block.sum(axis=1) == 0, -1] = 1
        return np.concatenate([block / block.sum(axis=1, keepdims=True) for block in blocks], axis=1) / len(blocks)
    names = sorted({(kind, bin) for kind, axis in zip(kinds, axes, strict=True) for bin in axis})
    mass = np.zeros((len(blocks[0]), len(names)))
    for block, kind, axis in zip(blocks, kinds, axes, strict=True):
        for bin, i in axis.items():
            mass[:, names.index((kind, bin))] += block[:, i]
    total = mass.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(mass, total, out=np.zeros_like(mass), where=total > 0))
