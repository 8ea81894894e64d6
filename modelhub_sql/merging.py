"""Sketches of parts made one: of the shards of a dataset, or of a dataset and the rows that it has got since.

``sql/merge`` holds the relations that take the place of those of ``sql/sketch`` which read rows: what comes after them is the
same. Two parts at a time; more are folded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb

from modelhub_sql import datasets, logic
from modelhub_sql.datasets import fetched
from modelhub_sql.errors import DatasetError, translated
from modelhub_sql.result import Sketch

if TYPE_CHECKING:
    from modelhub_sql.engine import Engine, Layout
    from modelhub_sql.hub import Hub

__all__ = ["append", "merge", "partition_places", "run_relations", "stored_sketch"]

#: What is said of a part as a whole, in each row of a sketch.
_OF_PART = ("skipped", "rows", "excluded")


def partition_places(
    rows: tuple[int, int], kept: tuple[int, int], size: int, most: int, *, sequential: bool = False, filled: int = 0
) -> list[tuple[int, int, int]]:
    """Where the partitions of two parts come in the whole: (part, its partition, partition of the whole).

    rows, kept: of each part, and of how many of its partitions there are histograms. size: rows of a partition. most: partitions
    that are kept. filled: rows of the first part's last partition, where the second part's first partition is the rest of it.

    Full partitions come first, so mixed that the first of them are a sample of both parts; then the last one of each part, as one
    partition where they are hardly more than one or a part is so small that its rows would show. Where there are more than
    ``most``, each part gives its share.
    """
    first, second = ([(part, number) for number in range(kept[part - 1])] for part in (1, 2))
    joined: dict[tuple[int, int], tuple[int, int]] = {}
    # Of the last partition, if all before it are full.
    last = [rows[part] - (kept[part] - 1) * size for part in (0, 1)]
    if filled and first and second:
        joined[second.pop(0)] = first[-1]
        taken = size - filled if second else rows[1]
        last = [last[0] + taken, last[1] + size - taken]
    if first and second and (2 * sum(last) < 3 * size or 2 * min(rows) < size):
        joined[second.pop()] = first[-1]
        last = [sum(last), size]
    left = []
    if len(first) + len(second) > most:
        share = min(len(first), max(most - len(second), round(most * rows[0] / sum(rows))))
        first, second = first[:share], second[: most - share]
    else:
        left = [(n, part.pop()) for n, part in zip(last, (first, second), strict=True) if part and n != size]
    order = [*first, *second] if sequential else _mixed(first, second)
    order += [place for _, place in sorted(left, key=lambda each: -each[0])]
    places = {place: number for number, place in enumerate(order)}
    places |= {place: places[other] for place, other in joined.items() if other in places}
    return [(*place, number) for place, number in sorted(places.items())]


def _mixed(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> list[tuple[int, int]]:
    keyed = [((2 * number + 1) * len(second), 0, place) for number, place in enumerate(first)] if second else []
    keyed += [((2 * number + 1) * len(first), 1, place) for number, place in enumerate(second)] if first else []
    return [place for *_, place in sorted(keyed)] or [*first, *second]


def merge(hub: Hub, parts: Sequence[Sketch | str | os.PathLike[str]]) -> Sketch:
    """The sketch of parts as one dataset. Raises DatasetError."""
    if len(parts) < 2:
        raise DatasetError(f"merge takes two sketches or more, got {len(parts)}")
    tables = [each.arrow() if isinstance(each, Sketch) else _of_file(hub, os.fspath(each)) for each in parts]
    merged = tables[0]
    for table in tables[1:]:
        _set_parts(hub, merged, table)
        merged = _merged(hub)
    return Sketch(hub._con, merged)


def _of_file(hub: Hub, path: str) -> Any:
    if not datasets.is_sketch(path):
        raise DatasetError(f"{path} is no sketch file: make one of it first (modelhub sketch, hub.sketch)")
    return hub.sketch(path).arrow()


def _set_parts(hub: Hub, *tables: Any) -> None:
    """Sketches as the temporary tables part and part_size."""
    own = hub._own
    for number, table in enumerate(tables, 1):
        own.register("modelhub_part", table)
        try:
            fingerprint = f"{hub._place.logic}._format.fingerprint()"
            if own.execute(f"FROM modelhub_part WHERE fingerprint IS DISTINCT FROM {fingerprint} LIMIT 1").fetchall():
                raise DatasetError("a sketch is of another format, seed or salt than the hub has: make it anew with this hub")
            add = "CREATE OR REPLACE TEMP TABLE {0} AS" if number == 1 else "INSERT INTO temp.main.{0}"
            own.execute(f"{add.format('part')} SELECT {number} AS part, * FROM modelhub_part")
            names = ", ".join(f"any_value({name}) AS {name}" for name in _OF_PART)
            own.execute(f"{add.format('part_size')} SELECT {number} AS part, {names} FROM modelhub_part")
        finally:
            own.unregister("modelhub_part")


def _merged(hub: Hub, filled: int = 0) -> Any:
    """The sketch of the temporary tables part and part_size as one dataset, an Arrow table; filled: as of partition_places."""
    own, place = hub._own, hub._place
    sizes = own.execute("SELECT rows FROM temp.main.part_size ORDER BY part ASC").fetchall()
    kept = own.execute(
        "SELECT coalesce(max(len(partitions)), 0) FROM temp.main.part_size AS s LEFT JOIN temp.main.part AS p USING (part) "
        "GROUP BY s.part ORDER BY s.part ASC"
    ).fetchall()
    ((size, most, partitioning),) = own.execute(
        f"SELECT partition_size, max_partitions, partitioning FROM {place.tables}._hub.format"
    ).fetchall()
    places = partition_places(
        (sizes[0][0], sizes[1][0]), (kept[0][0], kept[1][0]), size, most, sequential=partitioning == "sequential", filled=filled
    )
    columns = [[place[side] for place in places] for side in range(3)]
    own.execute(
        "CREATE OR REPLACE TEMP TABLE part_partition AS SELECT unnest($a::INTEGER[]) AS part, "
        "unnest($b::UINTEGER[]) AS part_partition, unnest($c::UINTEGER[]) AS partition_id",
        dict(zip("abc", columns, strict=True)),
    )
    relations = {**logic.relations("sketch", hub._numpy), **logic.relations("merge")}
    query = (
        "SELECT * EXCLUDE (dataset_number), "
        # list_distinct leaves out NULL, which stands for names that are not kept.
        "(SELECT list_distinct(flatten(list(excluded))) || CASE WHEN bool_or(len(excluded) > list_count(excluded)) "
        "THEN [NULL::VARCHAR] ELSE [] END FROM temp.main.part_size) AS excluded, "
        f"{place.logic}._format.fingerprint() AS fingerprint FROM whole_feature ORDER BY feature_id ASC"
    )
    try:
        return run_relations(hub, relations, query, given=("part", "part_size", "part_partition"))
    except duckdb.Error as error:
        raise translated(error) from error


def run_relations(
    hub: Engine, relations: Mapping[str, logic.Relation], query: str, given: tuple[str, ...], keep: bool = False
) -> Any:
    """The rows of a query over relations, each left as a temporary table until it is answered.

    given: those that are there, as temporary tables, which are dropped, too, unless they are to be kept.
    """
    own = hub._own
    done: list[logic.Relation] = []
    try:
        for step in logic.needed(relations, query, given):
            own.execute(logic.placed(logic.step_statement(step), hub._place))
            done.append(step)
        own.execute(logic.placed(query, hub._place))
        return fetched(own)
    finally:
        with suppress(duckdb.Error):
            for step in reversed(done):
                own.execute(f"DROP {'VIEW' if step.inlined else 'TABLE'} IF EXISTS temp.main.{step.name}")
            for name in () if keep else given:
                own.execute(f"DROP TABLE IF EXISTS temp.main.{name}")


def stored_sketch(hub: Hub, dataset_id: int) -> Any:
    """The sketch of a registered dataset as a sketch file has it, an Arrow table."""
    tables = f"{hub._place.tables}._hub"
    hub._own.execute(
        f"""
        SELECT f.* EXCLUDE (dataset_id, distincts, elements, minhash, spread, effective_bins, mean),
            f.effective_bins, f.mean, f.elements, f.minhash, f.spread, p.partitions, f.distincts, d.skipped, d.rows,
            d.spread AS dataset_spread, d.excluded, d.fingerprint
        FROM {tables}.features AS f
        JOIN {tables}.datasets AS d USING (dataset_id)
        JOIN (
            SELECT feature_id, list(frequent || rare ORDER BY partition_id ASC) AS partitions
            FROM {tables}.partition_counts WHERE dataset_id = $1 GROUP BY feature_id
        ) AS p USING (feature_id)
        WHERE f.dataset_id = $1
        ORDER BY f.feature_id ASC
        """,
        [dataset_id],
    )
    return fetched(hub._own)


def append(hub: Hub, name: str, version: str | None, dataset: Any, read: Mapping[str, Any] | None) -> int:
    """Add rows to the dataset of a model; returns the rows that it has now. In the caller's transaction."""
    from modelhub_sql.datasets import said_of
    from modelhub_sql.engine import check_model

    check_model(name, version)
    own, place = hub._own, hub._place
    tables = f"{place.tables}._hub"
    try:
        ((dataset_id,),) = own.execute(f"SELECT {place.logic}._logic.dataset_of(?, ?)", [name, version]).fetchall()
    except duckdb.Error as error:
        raise translated(error) from error
    before = stored_sketch(hub, dataset_id)
    told = f"""
        SELECT excluded, rows::BIGINT - (partitions - 1)::BIGINT * partition_size, partition_size
        FROM {tables}.datasets, {tables}.format
        WHERE dataset_id = ?
    """
    ((excluded, last, size),) = own.execute(told, [dataset_id]).fetchall()
    with datasets.readable(own, hub._con, dataset, read) as (table, source):
        if datasets.is_sketch(table):
            raise DatasetError(f"{source} is a sketch: append takes rows; merge takes sketches")
        # What was excluded may be absent now.
        names = [name for name, *_ in hub._layout(table, source, []).columns]
        ((absent,),) = own.execute(f"SELECT {place.logic}._logic.unknown_among(?, ?::VARCHAR[])", [excluded, names]).fetchall()
        exclude = [each for each in excluded if each is not None and each not in absent]
        layout = hub._layout(table, source, exclude)
        if None in excluded:
            _refuse_others(layout, before, source, name)
        _set_parts(hub, before)
        # What the last partition has, if all before it are full.
        filled = last if 0 < last < size else 0
        _add_part(hub, table, source, layout, exclude, excluded, filled)
        merged = _merged(hub, filled)
    own.register("modelhub_merged", merged)
    try:
        own.execute("CREATE OR REPLACE TEMP TABLE modelhub_sketch AS SELECT 0 AS dataset_number, * FROM modelhub_merged")
    finally:
        own.unregister("modelhub_merged")
    own.execute("SET VARIABLE registering_dataset = ?", [dataset_id])
    for table_name in ("features", "partition_counts"):
        own.execute(f"DELETE FROM {tables}.{table_name} WHERE dataset_id = ?", [dataset_id])
    own.execute(logic.placed(logic.storing("features"), place))
    ((total,),) = own.execute(
        f"""
        UPDATE {tables}.datasets SET rows = s.rows, partitions = s.partitions,
            spread = s.dataset_spread, skipped = s.skipped, source = CASE WHEN length(source) BETWEEN 1 AND 1000
            THEN source || ' + ' || ? ELSE source END
        FROM (SELECT any_value(rows) AS rows, any_value(len(partitions)) AS partitions,
            any_value(dataset_spread) AS dataset_spread, any_value(skipped) AS skipped
            FROM temp.main.modelhub_sketch) AS s
        WHERE dataset_id = ? RETURNING datasets.rows
        """,
        [said_of(source), dataset_id],
    ).fetchall()
    own.execute("DROP TABLE temp.main.modelhub_sketch")
    return int(total)


def _refuse_others(layout: Layout, before: Any, source: str, name: str) -> None:
    """Refuse new rows with a column that the dataset does not have: it may be one of those that were left out."""
    features, skipped = set(before["feature"].to_pylist()), before["skipped"][0].as_py()
    for column, *_ in layout.columns:
        if column not in features and not any(each.startswith(f"{column} (") for each in skipped):
            raise DatasetError(
                f"{source} has a column {column!r} that {name} does not have, and which columns {name} leaves out is not kept "
                "(hide_excluded): pass the new rows without it"
            )


def _add_part(hub: Hub, table: str, source: str, layout: Layout, exclude: list[str], excluded: list[str], filled: int) -> None:
    """The sketch of new rows as the second part: in the bins, kinds and columns of the first, its last partition filled up."""
    own, place = hub._own, hub._place
    relations = dict(logic.relations("sketch", hub._numpy))
    for name in ("coarsening", "element"):
        # What few of the new rows have may be what many have together.
        relations[name] = replace(relations[name], query=relations[name].query.replace("_logic.is_exact()", "true"))
    for name, query in {
        "row_permutation": f"""
            SELECT p.* REPLACE ({filled} AS filled, w.whole AS whole_partitions,
                least(w.whole, _format.max_partitions()) AS partitions)
            FROM ({{0}}) AS p, (SELECT _logic.whole_partitions(rows + {filled}) AS whole FROM ({{0}})) AS w""",
        "dataset_column": """
            SELECT c.* REPLACE (
                CASE WHEN o.kind = 'text' AND c.form = 'text' THEN 'text' ELSE c.content END AS content,
                CASE WHEN o.kind = 'text' AND c.form = 'text' THEN 'text' ELSE c.kind END AS kind)
            FROM ({0}) AS c LEFT JOIN part AS o ON o.part = 1 AND o.feature = c.feature""",
        "feature_resolution": """
            SELECT r.feature_id, coalesce(o.k, r.k) AS k, coalesce(o.b, r.b) AS b
            FROM ({0}) AS r JOIN dataset_column AS c USING (feature_id)
            LEFT JOIN part AS o ON o.part = 1 AND o.feature = c.feature AND o.kind = c.kind""",
        "left_out": """
            SELECT feature_id, reason FROM ({0}) JOIN typed_column USING (feature_id)
            WHERE feature NOT IN (SELECT feature FROM part)""",
    }.items():
        text = query.replace("{0}", relations[name].query)
        relations[name] = logic.Relation(name, relations[name].comment, text, relations[name].inlined)
    for name, relation in relations.items():
        relations[name] = logic.Relation(name, relation.comment, logic.with_forms(relation.query, layout.forms), relation.inlined)
    try:
        own.execute("SET VARIABLE sketch_dataset = ?", [table])
        own.execute("SET VARIABLE sketch_exclude = ?", [exclude])
        own.execute(
            f"CREATE OR REPLACE TEMP TABLE dataset_row AS FROM {place.logic}._logic.numbered_rows(getvariable('sketch_dataset'), "
            f"exclude := getvariable('sketch_exclude'), nested := {str(layout.nested).lower()})"
        )
        ((count,),) = own.execute("SELECT count(*) FROM temp.main.dataset_row").fetchall()
        if not count:
            raise DatasetError(f"{source} has no rows: there is nothing to append")
        query = "SELECT * EXCLUDE (dataset_number) FROM whole_feature ORDER BY feature_id ASC"
        found = run_relations(hub, relations, query, ("dataset_row", "part"), keep=True)
        own.register("modelhub_new", found)
        own.execute(
            "INSERT INTO temp.main.part BY NAME SELECT 2 AS part, *, ?::VARCHAR[] AS excluded, "
            f"{place.logic}._format.fingerprint() AS fingerprint FROM modelhub_new",
            [excluded],
        )
        own.unregister("modelhub_new")
        skipped = found["skipped"][0].as_py() if len(found) else []
        own.execute(
            "INSERT INTO temp.main.part_size BY NAME "
            "SELECT 2 AS part, ? AS rows, ?::VARCHAR[] AS skipped, ?::VARCHAR[] AS excluded",
            [count, skipped, excluded],
        )
    except duckdb.Error as error:
        raise translated(error, source, table) from error
    finally:
        with suppress(duckdb.Error):
            own.execute("DROP TABLE IF EXISTS temp.main.dataset_row")
