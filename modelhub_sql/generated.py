"""The SQL that is generated when a hub is made: its fixed settings, as constants.

A macro that reads a setting from the table costs a join for every use and is computed for every
row; a constant is folded when the query is planned (numbers are binned more than three times as
fast). Everything else of a hub is in ``sql/`` as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["CONSTANTS", "statements"]

#: Settings that decide a sketch, fixed for the life of a hub: ``hub_NAME()`` is their value.
CONSTANTS = (
    "partition_size", "partitioning", "number_binning", "number_bins",
    "text_bins", "replicas", "minhash_bands", "minhash_rows", "seed", "salt",
)  # fmt: skip


def statements(settings: Mapping[str, Any], functions: Sequence[tuple[int, int]]) -> str:
    """CREATE MACRO statements for the row of ``settings`` and the MinHash functions (multiplier, increment)."""
    constants = "".join(
        f"CREATE MACRO hub_{name}() AS {_literal(settings[name])};\n"
        f"COMMENT ON MACRO hub_{name} IS 'the setting {name}, as a constant';\n"
        for name in CONSTANTS
    )
    edges = settings["number_edges"] or []
    bounds = ", ".join(_literal(settings[name]) for name in ("number_low", "number_high", "number_bins"))
    finite_bin = {
        "range_free": f"asinh_bin(x, {bounds})",
        "fixed": f"fixed_bin(x, {bounds})",
        "learnt": _bisected(edges, 0, len(edges)),
    }[settings["number_binning"]]
    return f"""
        {constants}
        CREATE MACRO finite_bin(x) AS {finite_bin};
        COMMENT ON MACRO finite_bin IS
            'bin of a finite number, by the setting number_binning; learnt: how many of number_edges are at most x, by bisection';
        CREATE MACRO minhash_agg(h) AS [{_minima(functions)}];
        COMMENT ON MACRO minhash_agg IS
            'the MinHash signature of a group of mixed hashes: min((a h + b) mod 2^32) for each function';
    """


def _literal(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(int(value)) if isinstance(value, int) else f"{float(value)!r}::DOUBLE"


def _bisected(edges: Sequence[float], low: int, high: int) -> str:
    if low == high:
        return str(low)
    middle = (low + high) // 2
    edge = _literal(float(edges[middle]))
    return f"CASE WHEN x < {edge} THEN {_bisected(edges, low, middle)} ELSE {_bisected(edges, middle + 1, high)} END"


def _minima(functions: Sequence[tuple[int, int]]) -> str:
    # Unrolled, because a list of minima is ten times faster than a join with the functions.
    return ", ".join(f"min(({a}::UBIGINT * h + {b}) & 4294967295)" for a, b in functions)
