"""Parameters from theory, against numerical integration and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from modelhub_sql import tuning


@pytest.mark.parametrize(("c", "r", "p"), [(0.2593, 0.5, 0.5969), (0.447, 0.5, 0.405), (0.537, 0.5, 0.347), (0.447, 1, 0.647)])
def test_known_values_of_the_collision_probability(c: float, r: float, p: float) -> None:
    assert tuning.collision_probability(c, r) == pytest.approx(p, abs=6e-4)


@given(st.floats(0.01, 1.5), st.floats(0.01, 10))
def test_the_collision_probability_is_datars_integral(c: float, r: float) -> None:
    # Datar et al. 2004, section 3.2: integral over 0..r of 1/c f(t/c) (1 - t/r), f of |N(0, 1)|.
    integral, _ = quad(lambda t: 2 / c * norm.pdf(t / c) * (1 - t / r), 0, min(r, 40 * c), limit=200)
    assert tuning.collision_probability(c, r) == pytest.approx(integral, abs=1e-7)


@given(st.floats(0.01, 1.4), st.floats(0.01, 1.4), st.floats(0.1, 5))
def test_nearer_pairs_collide_more(a: float, b: float, width: float) -> None:
    near, far = sorted((a, b))
    assert tuning.collision_probability(near, width) >= tuning.collision_probability(far, width) - 1e-12


def test_identical_partitions_always_collide() -> None:
    assert tuning.collision_probability(0, 0.5) == 1
    assert tuning.band_probability(1, 3, 4) == 1


@pytest.mark.parametrize("recall", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("functions", [16, 64, 128])
def test_tuned_js_lsh_reaches_its_recall_at_the_threshold_whatever_it_is(recall: float, functions: int) -> None:
    bands, rows, width = tuning.tune_jslsh(recall, functions)
    assert bands * rows <= functions
    for max_js in (0.001, 0.1, 0.5):
        c = tuning.match_distance(max_js)
        reached = tuning.band_probability(tuning.collision_probability(c, width * c), bands, rows)
        assert reached == pytest.approx(recall, abs=1e-6)


@given(st.floats(0.01, 1), st.sampled_from([0.9, 0.99]))
def test_tuned_minhash_reaches_its_recall_wherever_one_row_does(threshold: float, recall: float) -> None:
    bands, rows = tuning.tune_minhash(threshold, recall)
    assert bands * rows <= 128
    assert tuning.band_probability(threshold, bands, rows) >= recall or rows == 1


def test_a_match_is_never_farther_than_the_match_distance() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        p, q = rng.dirichlet(np.full(8, 0.3), 2)
        m = (p + q) / 2
        js = sum(float((x[x > 0] * np.log(x[x > 0] / m[x > 0])).sum()) for x in (p, q)) / 2
        distance = math.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum())
        assert math.sqrt(2 * js) - 1e-12 <= distance <= tuning.match_distance(js) + 1e-12
