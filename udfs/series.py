"""Jensen-Shannon divergences of all pairs as one matrix product, to within a known error (section 2.1).

JS = ln 2 - sum sqrt(p q) k(ln p - ln q), with k(x) = (e^(x/2) ln(1 + e^-x) + e^(-x/2) ln(1 + e^x)) / 2: an additive
homogeneous kernel. A few cosines approximate k, and each is a product: cos(a - b) = cos a cos b + sin a sin b
(Vedaldi, Zisserman 2012, there with sampled instead of fitted coefficients).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["DivergenceSeries"]

Floats = npt.NDArray[np.float64]

COSINES = 5
#: Less mass than that is left out: what is left of 1 by rounding. It changes a divergence by less than its root.
NEGLIGIBLE = 1e-14
#: What sums of 32-bit numbers may be off by, and what is left out.
ROUNDING = 1e-5


class _Fit(NamedTuple):
    coefficients: npt.NDArray[np.float32]
    frequency: float
    error: float


@lru_cache(maxsize=64)
def _fit(reach: int) -> _Fit:
    # Least squares on [0, reach]. Half the period is longer, so that the fit needs not be periodic there (length by trial).
    x = np.linspace(0, reach, 2000)
    affinity = (np.exp(x / 2) * np.log1p(np.exp(-x)) + np.exp(-x / 2) * np.log1p(np.exp(x))) / 2
    frequency = math.pi / max(reach, 4.4 + 0.65 * reach)
    cosines = np.cos(np.outer(x, frequency * np.arange(COSINES + 1)))
    coefficients = np.linalg.lstsq(cosines, affinity, rcond=None)[0]
    return _Fit(coefficients.astype(np.float32), frequency, float(np.abs(cosines @ coefficients - affinity).max()) + ROUNDING)


class DivergenceSeries:
    """Divergences of any distributions from those of a target.

    target: sqrt(Q) over d bins, shape (m, d).
    """

    def __init__(self, target: Floats) -> None:
        self._target = target
        self._masses = _masses(target)
        self._products: dict[int, npt.NDArray[np.float32]] = {}

    def divergences(self, source: Floats) -> tuple[npt.NDArray[np.float32], float]:
        """JS divergences of all pairs, in nats, and the most that one is off.

        source: sqrt(P), shape (n, d). Returns shape (n, m), and the error.
        """
        masses = _masses(source)
        smallest = min(masses.min(initial=1, where=masses > 0), self._masses.min(initial=1, where=self._masses > 0))
        largest = max(masses.max(initial=0), self._masses.max(initial=0))
        reach = max(1, math.ceil(math.log(largest / smallest))) if largest else 1
        fit = _fit(reach)
        if reach not in self._products:
            self._products[reach] = _features(self._target, self._masses, fit.frequency)
        weighted = _features(source, masses, fit.frequency).reshape(len(source), 2 * COSINES + 1, -1)
        weighted *= fit.coefficients[_TERMS][:, None]
        return np.float32(math.log(2)) - weighted.reshape(len(source), -1) @ self._products[reach].T, fit.error


#: The cosine that each of the features of a bin belongs to.
_TERMS = np.concatenate([np.arange(COSINES + 1), np.arange(1, COSINES + 1)])


def _masses(roots: Floats) -> npt.NDArray[np.float32]:
    masses = np.nan_to_num(roots.astype(np.float32)) ** 2
    masses[masses < NEGLIGIBLE] = 0
    return masses


def _features(roots: Floats, masses: npt.NDArray[np.float32], frequency: float) -> npt.NDArray[np.float32]:
    # sqrt(p) times 1, cos and sin of j * frequency * ln p: shape (n, (2 * COSINES + 1) * d), as powers of one rotation.
    rows, width = masses.shape
    result = np.empty((rows, 2 * COSINES + 1, width), np.float32)
    result[:, 0] = np.sqrt(masses)
    angle = np.log(masses, where=masses > 0, out=np.zeros_like(masses)) * np.float32(frequency)
    cosine, sine = np.cos(angle), np.sin(angle)
    real, imaginary = result[:, 0], np.zeros_like(masses)
    for j in range(1, COSINES + 1):
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
        result[:, j], result[:, COSINES + j] = real, imaginary
    return result.reshape(rows, -1)
