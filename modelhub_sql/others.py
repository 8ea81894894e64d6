"""What is in a hub's file and no part of a hub: tables, views and macros of the user's own."""

from __future__ import annotations

import duckdb

from modelhub_sql import logic, opening

__all__ = ["named"]


def named(con: duckdb.DuckDBPyConnection, catalog: str) -> list[str]:
    """Each as it is called (table main.notes), in the order of the names. catalog: of the file, without quotes."""
    known = {name.casefold() for name in (*(each.name for each in logic.public()), "settings", "help")}
    hub_tables = set(opening.expected())
    found = []
    for kind, listed, column in (
        ("table", "duckdb_tables()", "table_name"), ("view", "duckdb_views()", "view_name"),
        ("macro", "duckdb_functions()", "function_name"), ("sequence", "duckdb_sequences()", "sequence_name"),
        ("type", "duckdb_types()", "type_name"),
    ):  # fmt: skip
        rows = con.execute(
            f"SELECT DISTINCT schema_name, {column} FROM system.main.{listed} WHERE database_name = ?"
            f"{'' if kind == 'sequence' else ' AND NOT internal'} ORDER BY ALL",
            [catalog],
        ).fetchall()
        for schema, name in rows:
            is_of_hub = {
                "_hub": kind == "table" and name in hub_tables, "_format": kind == "macro", "_logic": kind in ("macro", "view"),
                "main": kind in ("macro", "view") and name.casefold() in known,
            }.get(schema, False)  # fmt: skip
            if not is_of_hub:
                found.append(f"{kind} {schema}.{name}")
    return found
