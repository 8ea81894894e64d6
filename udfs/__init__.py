"""Faster relations in place of the SQL's: same names, same answers; ``promising_dataset`` alone leaves more out.

``FUNCTIONS`` is the whole table of the numpy functions; ``relations/`` holds the relations that call them, each in place of
the relation of ``sql/`` that has its name. ``register`` is the only place that knows DuckDB.
"""

from __future__ import annotations

import atexit
import weakref
from functools import cache
from importlib.resources import files
from typing import Any

import duckdb

from modelhub_sql.udfs import (
    cells,
    divergence,
    dyadic,
    estimates,
    histograms,
    jslsh,
    matches,
    minhash,
    pairs,
    similarities,
    tables,
)

__all__ = ["FUNCTIONS", "TABLES", "register", "relations"]

# The matrices of source and target, the keys of their rows, and the keys of the pairs.
PAIRS = ["DOUBLE[]", "UBIGINT[]", "DOUBLE[]", "UBIGINT[]", "UBIGINT[]", "UBIGINT[]"]
# A row of a table: a pair of features with the source's histogram, and a feature of the target.
PAIR = (
    "STRUCT(pair UBIGINT, target_key UBIGINT, k SMALLINT, b SMALLINT, is_finer BOOLEAN, size UBIGINT, bins DOUBLE[],"
    " counts UBIGINT[])"
)
FEATURE = "STRUCT(key UBIGINT, size UBIGINT, bins DOUBLE[], counts UBIGINT[])"
OPEN = (
    "STRUCT(key UBIGINT, kind UTINYINT, size UBIGINT, k SMALLINT, b SMALLINT, bins DOUBLE[], counts UBIGINT[],"
    " elements UINTEGER, minhash UINTEGER[])"
)
STILL_OPEN = "STRUCT(dataset_id UINTEGER, feature_id USMALLINT)"
OPEN_RULE = "STRUCT(kind UTINYINT, jaccard DOUBLE, js DOUBLE, own_share DOUBLE, replicas UINTEGER, functions UINTEGER)"

#: What numpy makes of relations: ``FROM name(relation, ...)``.
TABLES = {
    "modelhub_similarities": tables.Table(
        similarities.compared,
        (PAIR, FEATURE, "STRUCT(divergence BOOLEAN)"),
        {"pair": "UBIGINT", "affinity": "DOUBLE", "entropy_gain": "DOUBLE"},
    ),
    "modelhub_open_pairs": tables.Table(
        cells.compared,
        (OPEN, OPEN, STILL_OPEN, OPEN_RULE),
        {"source_key": "UBIGINT", "target_key": "UBIGINT", "jaccard": "DOUBLE", "js_divergence": "DOUBLE", "distance": "DOUBLE"},
    ),
    "modelhub_likeness": tables.Table(
        estimates.likeness,
        (OPEN, OPEN, STILL_OPEN, "STRUCT(kind UTINYINT, js DOUBLE, own_share DOUBLE)"),
        {"dataset_id": "UBIGINT", "likeness": "DOUBLE"},
    ),
    "modelhub_errors": tables.Table(
        similarities.errors, (PAIR, FEATURE), {"pair": "UBIGINT", "expected": "DOUBLE", "variance": "DOUBLE"}
    ),
}

#: Name -> (Arrow adapter, parameter types or None for any, return type).
FUNCTIONS = {
    "modelhub_elements": (
        dyadic.arrow,
        None,  # resolutions, partitions and any number of columns
        "STRUCT(partition_id UINTEGER, feature_id USMALLINT, bin DOUBLE, occurrences UBIGINT)[]",
    ),
    "modelhub_histograms": (
        histograms.arrow,
        ["DOUBLE[]", "UINTEGER[]", "DOUBLE[]", "UINTEGER[]", "UINTEGER"],
        "UINTEGER[][]",
    ),
    "modelhub_minhash": (minhash.arrow, ["UINTEGER[]", "UINTEGER[]", "UINTEGER[]"], "UINTEGER[]"),
    "modelhub_jslsh": (jslsh.arrow, ["DOUBLE[]", "DOUBLE[]", "DOUBLE[]", "DOUBLE"], "BIGINT[]"),
    "modelhub_matches": (
        matches.arrow,
        [
            "STRUCT(owner UINTEGER, space_id UINTEGER, bins DOUBLE[][], slots INTEGER[], target_features UINTEGER[],"
            " target_bins DOUBLE[][], target_slots INTEGER[], axis DOUBLE[][], axis_slots INTEGER[])[]",
            "STRUCT(owner UINTEGER[], number UINTEGER[], partition_id UINTEGER[], counts UINTEGER[][])",
            "STRUCT(feature_id UINTEGER[], partition_id UINTEGER[], counts UINTEGER[][])",
            "BOOLEAN",
            "DOUBLE",
        ],
        "STRUCT(owner UINTEGER, source_partition UINTEGER, target_partition UINTEGER, hellinger2 DOUBLE)[]",
    ),
    "modelhub_pairs": (
        pairs.arrow,
        [
            "STRUCT(dataset_id UINTEGER[], name_id UINTEGER[], k SMALLINT[], b SMALLINT[], size UBIGINT[], bins DOUBLE[][],"
            " counts UBIGINT[][])"
        ],
        "STRUCT(dataset_id UINTEGER, other_id UINTEGER, shared_features UINTEGER, shared_distance DOUBLE, shared_js DOUBLE)[]",
    ),
    "modelhub_pair_hellinger2": (divergence.pair_hellinger2_arrow, PAIRS, "DOUBLE[]"),
    "modelhub_pair_divergences": (divergence.pair_divergences_arrow, PAIRS, "DOUBLE[]"),
    **{name: table.as_function() for name, table in TABLES.items()},
}


@cache
def relations() -> dict[str, str]:
    """Name and text of each relation that takes the place of one of ``sql/``."""
    folder = files(__name__).joinpath("relations")
    return {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to the whole database instance of a connection, which is closed at exit."""
    create_function: Any = con.create_function  # its annotations differ between releases of DuckDB
    for name, (adapter, parameters, returns) in FUNCTIONS.items():
        # To ask for the functions that there are takes longer than all else of opening a hub.
        try:
            create_function(name, adapter, parameters, returns, type="arrow")
        except (duckdb.NotImplementedException, duckdb.CatalogException) as error:
            if "already" not in str(error):
                raise
    _LOADED.add(con)


_LOADED: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()


@atexit.register
def _close_loaded() -> None:
    # A connection with UDFs that is still open at exit makes DuckDB 2.0 report leaks.
    for con in list(_LOADED):
        con.close()
