"""The SQL that is generated for one hub: the format of its sketches, as a table that cannot change and as constants.

A macro that reads a setting from a table costs a join for every use and is computed for every row; a constant is folded
when the query is planned. Everything else of a hub is in ``sql/``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from modelhub_sql import sql

__all__ = ["DEFAULTS", "FORMAT", "constants", "fingerprint", "format_table", "row_of"]

#: What decides a sketch: column of _hub.format -> (type, meaning). Sketches of different formats can't be compared.
FORMAT = {
    "format_version": ("UINTEGER", "version of the tables and of the sketches"),
    "partition_size": ("UINTEGER", "m, rows in a partition (paper, Def. 2); the last has what is left, from m / 2 to 3 m / 2"),
    "max_partitions": ("UINTEGER", "partitions whose histograms are kept; those of more rows count in the whole alone"),
    "partitioning": ("VARCHAR", "random (affine permutation of the row numbers) or sequential (row order)"),
    "most_bins": ("UINTEGER", "bins that a feature of numbers or times takes at the most"),
    "sample_rows": ("UINTEGER", "rows that the resolution of a feature's bins is chosen from"),
    "text_bins": ("UINTEGER", "bins that the tokens of text are hashed to"),
    "min_count": ("UINTEGER", "values that a bin has at least: of fewer it is not kept"),
    "round_counts": ("UINTEGER", "what all counts of values are multiples of, the nearest"),
    "replicas": ("UINTEGER", "MinHash elements of a bin: round(replicas * sqrt(frequency of the bin)) (section 3.4)"),
    "minhash_bands": ("UINTEGER", "L of MinHash"),
    "minhash_rows": ("UINTEGER", "K of MinHash: functions a band"),
    "seed": ("UINTEGER", "seed of every hash function and of the partitioning"),
    "salt_fingerprint": (
        "VARCHAR",
        "what the salt is known by, which is not in the file (SHA-256 of 'modelhub salt ' and the salt); empty: there is none",
    ),
}

#: What a search does unless it is told otherwise: column of _hub.defaults -> meaning.
DEFAULTS = {
    name: meaning.replace("''", "'")
    for name, meaning in re.findall(r"COMMENT ON COLUMN _hub\.defaults\.(\w+) IS\s+'(.*)';", sql.scripts("format")["tables"])
}


def format_table(row: Mapping[str, Any]) -> str:
    """The table _hub.format with its row, which its constraints keep as it is."""
    columns = ",\n".join(f"    {name} {type_}{'' if row[name] is None else ' NOT NULL'}" for name, (type_, _) in FORMAT.items())
    fixed = " AND ".join(f"{name} IS NOT DISTINCT FROM {_literal(row[name])}" for name in FORMAT)
    comments = "".join(f"COMMENT ON COLUMN _hub.format.{name} IS {_literal(meaning)};\n" for name, (_, meaning) in FORMAT.items())
    values = ", ".join(_literal(row[name]) for name in FORMAT)
    return (
        f"CREATE TABLE _hub.format (\n{columns},\n    PRIMARY KEY (format_version),\n    CHECK ({fixed})\n);\n"
        "COMMENT ON TABLE _hub.format IS "
        "'what decides a sketch (one row), fixed: sketches of different formats cannot be compared';\n"
        f"{comments}INSERT INTO _hub.format VALUES ({values});\n"
    )


def row_of(constraint: str) -> dict[str, Any]:
    """The row of _hub.format that its constraint, as DuckDB spells it, keeps as it is."""
    found = re.findall(r"\((\w+) IS NOT DISTINCT FROM (?:(\d+)|'((?:[^']|'')*)')\)", constraint)
    return {name: int(number) if number else text.replace("''", "'") for name, number, text in found}


def fingerprint(row: Mapping[str, Any]) -> str:
    """What tells the formats of two sketches apart."""
    return hashlib.md5("\n".join(f"{name}={_literal(row[name])}" for name in FORMAT).encode()).hexdigest()


def constants(row: Mapping[str, Any], functions: Sequence[tuple[int, int]], numpy: bool = False) -> str:
    """The schema _format: the row as constants, and what is made of it and of the MinHash functions (multiplier, increment).

    numpy: signatures by the Python function.
    """
    made = "".join(
        f"CREATE MACRO _format.{name}() AS {_literal(row[name])};\nCOMMENT ON MACRO _format.{name} IS {_literal(meaning)};\n"
        for name, (_, meaning) in FORMAT.items()
    )
    return f"""
        {made}
        CREATE MACRO _format.fingerprint() AS {_literal(fingerprint(row))};
        COMMENT ON MACRO _format.fingerprint IS 'what tells the formats of two sketches apart';
        CREATE MACRO _format.minhash_agg(h) AS {_by_numpy(functions) if numpy else _minima(functions)};
        COMMENT ON MACRO _format.minhash_agg IS
            'the MinHash signature of a group of mixed hashes: min((a h + b) mod 2^32) for each function';
    """


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(int(value)) if isinstance(value, int) else f"{float(value)!r}::DOUBLE"


def _minima(functions: Sequence[tuple[int, int]]) -> str:
    # Unrolled, because a list of minima is ten times faster than a join with the functions.
    return "[" + ", ".join(f"min(({a}::UBIGINT * h + {b}) & 4294967295)" for a, b in functions) + "]"


def _by_numpy(functions: Sequence[tuple[int, int]]) -> str:
    multipliers, increments = (", ".join(map(str, side)) for side in zip(*functions, strict=True))
    return f"modelhub_minhash(list(h::UINTEGER), [{multipliers}]::UINTEGER[], [{increments}]::UINTEGER[])"
