"""Parameters of the two LSH families from a threshold and a recall, by theory."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

__all__ = [
    "Banding",
    "JsLsh",
    "band_probability",
    "collision_probability",
    "match_distance",
    "relative_width",
    "tune_jslsh",
    "tune_minhash",
]


class Banding(NamedTuple):
    """L bands of K functions each."""

    bands: int
    rows: int


class JsLsh(NamedTuple):
    """L bands of K functions each, and r divided by the greatest distance of a match."""

    bands: int
    rows: int
    width: float


def match_distance(max_js: float) -> float:
    """Greatest ``||sqrt(P) - sqrt(Q)||`` of a pair with JS <= ``max_js``: sqrt(2 t / ln 2).

    From ln 2 * H**2 <= JS (section 2.2: "lower bounded by a factor 0.69") and distance**2 = 2 H**2.
    """
    return math.sqrt(2 * max_js / math.log(2))


def collision_probability(distance: float, width: float) -> float:
    """Collision probability of one JS-LSH function (Eq. 2.4).

    distance: ``||sqrt(P) - sqrt(Q)||``, in [0, sqrt 2]. width: r > 0. Returns a value in [0, 1].
    Datar et al. 2004, section 3.2:
    ``1 - 2 Phi(-r/c) - 2 c / (sqrt(2 pi) r) * (1 - exp(-r**2 / (2 c**2)))``.
    """
    if distance == 0:
        return 1.0
    ratio = width / distance
    return math.erf(ratio / math.sqrt(2)) - 2 / (math.sqrt(2 * math.pi) * ratio) * -math.expm1(-ratio * ratio / 2)


def band_probability(p: float, bands: int, rows: int) -> float:
    """Probability that two items share a band: 1 - (1 - p**K)**L, for a collision probability p of one function."""
    return float(-math.expm1(bands * math.log1p(-(p**rows)))) if p < 1 else 1.0


def relative_width(bands: int, rows: int, recall: float) -> float:
    """r / c for which two partitions at distance c share one of ``bands`` bands with probability ``recall``."""
    low, high = 1e-3, 1e9
    for _ in range(200):
        middle = math.sqrt(low * high)
        if band_probability(collision_probability(1.0, middle), bands, rows) < recall:
            low = middle
        else:
            high = middle
    return high


@cache
def tune_jslsh(recall: float = 0.99, functions: int = 128) -> JsLsh:
    """K, L and r of JS-LSH with the fewest candidates for a recall, within a number of functions.

    recall: probability to find a pair exactly at the threshold, in (0, 1). functions: most
    hashes a partition, at least 1. Candidates are counted at twice the distance of a match. Since
    p depends on r / c alone, the answer holds for every threshold: r scales with ``match_distance``.
    """
    best: tuple[float, JsLsh] | None = None
    for rows in range(1, functions + 1):
        bands = functions // rows
        width = relative_width(bands, rows, recall)
        false_rate = band_probability(collision_probability(2.0, width), bands, rows)
        if best is None or false_rate < best[0]:
            best = (false_rate, JsLsh(bands, rows, width))
    assert best is not None
    return best[1]


@cache
def tune_minhash(threshold: float, recall: float = 0.99, functions: int = 128) -> Banding:
    """K and L of MinHash with the fewest candidates for a recall, within a number of functions.

    threshold: Jaccard similarity that must be found, in (0, 1]. recall: probability to find a
    pair exactly at the threshold. The most rows a band that still reach it; one row if none does.
    """
    for rows in range(functions, 1, -1):
        if band_probability(threshold, functions // rows, rows) >= recall:
            return Banding(functions // rows, rows)
    return Banding(functions, 1)
