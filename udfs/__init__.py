"""Faster parts laid over the hub's SQL: same names, same answers.

``OVERLAYS`` is the whole table of them. ``load`` is the only place that knows DuckDB.
"""

from __future__ import annotations

import atexit
import weakref
from importlib.resources import files
from typing import Any

import duckdb

from modelhub_sql.errors import HubFormatError
from modelhub_sql.udfs import divergence, elements, histograms, jslsh, matches, minhash

__all__ = ["OVERLAYS", "load"]

# The matrices of source and target, the keys of their rows, and the keys of the pairs.
PAIRS = ["DOUBLE[]", "UBIGINT[]", "DOUBLE[]", "UBIGINT[]", "UBIGINT[]", "UBIGINT[]"]

#: UDF name -> (Arrow adapter, parameter types or None for any, return type). ``overlays.sql`` lays the hub's
#: macros over them; a UDF never has a macro's name, which would hide it.
OVERLAYS = {
    "modelhub_elements": (
        elements.arrow,
        None,  # number_bins, partitions and any number of columns
        "STRUCT(partition_id UINTEGER, feature_id USMALLINT, bin USMALLINT, occurrences UBIGINT, total DOUBLE)[]",
    ),
    "modelhub_histograms": (
        histograms.arrow,
        ["USMALLINT[]", "UINTEGER[]", "USMALLINT[]", "UINTEGER[]", "UINTEGER"],
        "UINTEGER[][]",
    ),
    "modelhub_minhash": (minhash.arrow, ["UINTEGER[]", "UINTEGER[]", "UINTEGER[]"], "UINTEGER[]"),
    "modelhub_jslsh": (jslsh.arrow, ["DOUBLE[]", "DOUBLE[]", "DOUBLE[]", "DOUBLE"], "BIGINT[]"),
    "modelhub_matches": (
        matches.arrow,
        [
            "STRUCT(owner UINTEGER, space_id UINTEGER, bins USMALLINT[][],"
            " target_features UINTEGER[], target_bins USMALLINT[][], axis USMALLINT[][])[]",
            "STRUCT(owner UINTEGER[], number UINTEGER[], partition_id UINTEGER[], counts UINTEGER[][])",
            "STRUCT(feature_id UINTEGER[], partition_id UINTEGER[], counts UINTEGER[][])",
            "BOOLEAN",
            "DOUBLE",
        ],
        "STRUCT(owner UINTEGER, source_partition UINTEGER, target_partition UINTEGER, hellinger2 DOUBLE)[]",
    ),
    "modelhub_pair_hellinger2": (divergence.pair_hellinger2_arrow, PAIRS, "DOUBLE[]"),
    "modelhub_pair_divergences": (divergence.pair_divergences_arrow, PAIRS, "DOUBLE[]"),
}


def load(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Lay the numpy UDFs over the hub that ``con`` uses; returns ``con``.

    The UDFs are known to the whole database instance, the macros over them only to this
    connection: a ``con.cursor()`` falls back to the SQL of the hub and answers the same.
    Raises HubFormatError when the connection's current database is not a hub, or one of another version.
    """
    try:
        con.execute("SELECT multiplier FROM minhash_functions LIMIT 0")
    except duckdb.CatalogException as error:
        raise HubFormatError("the connection's current database is not a hub: open one, or ATTACH and USE it") from error
    known = {
        name
        for (name,) in con.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE list_contains(?, function_name)",
            [list(OVERLAYS)],
        ).fetchall()
    }
    create_function: Any = con.create_function  # its annotations differ between releases of DuckDB
    for name, (adapter, parameters, returns) in OVERLAYS.items():
        if name not in known:
            create_function(name, adapter, parameters, returns, type="arrow")
    try:
        con.execute(files(__name__).joinpath("overlays.sql").read_text(encoding="utf-8"))
    except duckdb.CatalogException as error:
        raise HubFormatError(
            "the hub was made by another version of modelhub-sql, whose SQL these numpy functions do not fit:"
            " use that version, or register the models in a new hub"
        ) from error
    _LOADED.add(con)
    return con


_LOADED: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()


@atexit.register
def _close_loaded() -> None:
    # A connection with UDFs that is still open at exit makes DuckDB 2.0 report leaks.
    for con in list(_LOADED):
        con.close()
