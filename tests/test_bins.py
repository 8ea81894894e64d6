"""Dyadic bins: SQL, numpy and exact arithmetic agree bit for bit; a coarser resolution is made of the bins of a finer one."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import oracle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import modelhub_sql
from modelhub_sql.udfs import dyadic

powers = st.builds(
    lambda exponent, sign, step: sign * neighbour(2.0**exponent, step),
    st.integers(-1074, 1023), st.sampled_from([1.0, -1.0]), st.integers(-2, 2),
)  # fmt: skip
special = st.sampled_from(
    [0.0, -0.0, math.inf, -math.inf, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308]
)
numbers = st.one_of(st.floats(allow_nan=False), powers, special, st.integers(-(10**6), 10**6).map(float))
resolutions = st.builds(oracle.Resolution, st.one_of(st.integers(-1000, 1022), st.integers(-12, 12)), st.integers(0, 52))


def neighbour(x: float, step: int) -> float:
    """The number so many numbers further on."""
    for _ in range(abs(step)):
        x = math.nextafter(x, math.copysign(math.inf, step))
    return x if math.isfinite(x) else 1.7976931348623157e308


def bits(values: list[float]) -> list[str]:
    return [struct.pack(">d", x).hex() for x in values]


def sql_bins(hub: modelhub_sql.Hub, values: list[float], at: oracle.Resolution) -> tuple[list[float], list[float]]:
    """Bins of numbers, and their widths."""

    def each(macro: str, of: list[float]) -> list[float]:
        rows = hub.con.execute(f"SELECT _logic.{macro}(unnest($1::DOUBLE[]), $2::INT, $3::INT)", [of, *at]).fetchall()
        return [value for (value,) in rows]

    bins = each("number_bin", values)
    return bins, each("bin_width", bins)


@settings(max_examples=80, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=40), resolutions)
@example([8.988465674311582e307, -8.988465674311582e307], oracle.Resolution(972, 52))
def test_sql_numpy_and_exact_arithmetic_give_the_same_bins_bit_for_bit(
    settled_hub: modelhub_sql.Hub, values: list[float], at: oracle.Resolution
) -> None:
    expected = [oracle.number_bin(x, at) for x in values]
    bins, widths = sql_bins(settled_hub, values, at)
    assert bits(bins) == bits(expected)
    assert bits(dyadic.number_bins(np.array(values), *at).tolist()) == bits(expected)
    for x, lower, width in zip(values, bins, widths, strict=True):
        if math.isinf(lower):
            # An infinity, or below what a bin can be named by.
            assert x == lower or x < -(2.0**1023)
        else:
            assert Fraction(lower) <= Fraction(x) < Fraction(lower) + Fraction(width)


@pytest.mark.parametrize("exponents", [range(-1074, -350), range(-350, 350), range(350, 1024)], ids=["small", "middle", "large"])
def test_every_power_of_two_and_its_neighbours_are_in_their_octave(settled_hub: modelhub_sql.Hub, exponents: range) -> None:
    values = [s * neighbour(2.0**e, step) for e in exponents for step in (-1, 0, 1) for s in (1, -1) if 2.0**e + step]
    values = [x for x in values if x]
    for at in (oracle.Resolution(-1000, 3), oracle.Resolution(-1000, 52), oracle.Resolution(-7, 10), oracle.Resolution(0, 0)):
        expected = [oracle.number_bin(x, at) for x in values]
        assert bits(sql_bins(settled_hub, values, at)[0]) == bits(expected)
        assert bits(dyadic.number_bins(np.array(values), *at).tolist()) == bits(expected)
    found = settled_hub.con.execute(
        "SELECT list(_logic.octave(abs(x)) ORDER BY i ASC) FROM (SELECT unnest($1::DOUBLE[]) AS x, unnest(range(len($1::DOUBLE[]))) AS i)",
        [values],
    ).fetchall()
    assert found == [([oracle.octave(x) for x in values],)]


@settings(max_examples=80, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=40), resolutions, st.integers(0, 40), st.integers(0, 40))
def test_the_bins_of_a_coarser_resolution_are_unions_of_those_of_a_finer(
    settled_hub: modelhub_sql.Hub, values: list[float], fine: oracle.Resolution, more: int, fewer: int
) -> None:
    coarse = oracle.Resolution(min(1022, fine.k + more), max(0, fine.b - fewer))
    direct = sql_bins(settled_hub, values, coarse)[0]
    fine_bins = sql_bins(settled_hub, values, fine)[0]
    assert bits(sql_bins(settled_hub, fine_bins, coarse)[0]) == bits(direct)
    assert bits(dyadic.number_bins(np.array(fine_bins), *coarse).tolist()) == bits(direct)


@settings(max_examples=40, deadline=None)
@given(st.lists(numbers, min_size=2, max_size=40), resolutions)
def test_a_greater_number_never_has_a_lower_bin(
    settled_hub: modelhub_sql.Hub, values: list[float], at: oracle.Resolution
) -> None:
    bins = sql_bins(settled_hub, sorted(values), at)[0]
    assert bins == sorted(bins)


def test_what_is_no_number_has_no_bin(settled_hub: modelhub_sql.Hub) -> None:
    query = "SELECT _logic.number_bin('nan'::DOUBLE, 0, 3), _logic.number_bin(NULL, 0, 3)"
    assert settled_hub.con.execute(query).fetchall() == [(None, None)]
    assert np.isnan(dyadic.number_bins(np.array([np.nan]), 0, 3)).all()


@settings(max_examples=80, deadline=None)
@given(st.lists(numbers, max_size=60))
def test_the_resolution_is_the_documented_one(settled_hub: modelhub_sql.Hub, values: list[float]) -> None:
    finite = sorted(x for x in values if math.isfinite(x))
    ((found,),) = settled_hub.con.execute("SELECT _logic.resolution($1::DOUBLE[])", [finite]).fetchall()
    assert (found["k"], found["b"]) == oracle.resolution(values)


@pytest.mark.parametrize(
    ("values", "width"),
    [
        ([1000 + i / 100 for i in range(-100, 101)], 0.125), ([1950 + i % 10 for i in range(100)], 0.5),
        ([1e-6 * (1 + i / 100) for i in range(100)], 2.0**-24), ([0, 1] * 50, 0.125), ([7.0] * 9, 2.0**-18),
    ],
)  # fmt: skip
def test_bins_are_about_an_eighth_of_the_middle_half(settled_hub: modelhub_sql.Hub, values: list[float], width: float) -> None:
    ((found,),) = settled_hub.con.execute("SELECT _logic.resolution($1::DOUBLE[])", [sorted(values)]).fetchall()
    at = oracle.Resolution(found["k"], found["b"])
    bins, widths = sql_bins(settled_hub, values, at)
    assert width in widths
    quartiles = np.quantile(values, [0.25, 0.75])
    assert len(set(bins)) == 1 or 1 / 16 <= width / np.ptp(quartiles) <= 1 / 4 or np.ptp(quartiles) <= 1
