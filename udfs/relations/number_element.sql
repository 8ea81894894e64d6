-- a bin of a column of numbers in a partition and its occurrences; bin NULL counts what is missing
-- inlined: it is read once
-- The numbers of each column are collected in a list and counted in numpy. Lists can't be spilled to disk, so the
-- cells of a dataset that is large beside memory_limit are counted in SQL; and those of a wide one, because each column
-- takes a millisecond to plan (32 columns: chosen by examples/benchmarks/counting.py).
WITH size AS MATERIALIZED (
    SELECT
        width > 32
        OR rows * width > least(1 << 26, split_part(current_setting('memory_limit'), ' ', 1)::DOUBLE
            * 1024 ** list_position(['KiB', 'MiB', 'GiB', 'TiB'],
                split_part(current_setting('memory_limit'), ' ', 2)) / 64) AS is_large
    FROM row_permutation, (SELECT max(feature_id) AS width FROM typed_column)
),
listed AS (
    SELECT "_modelhub place 5f1c" AS place, [*COLUMNS(* EXCLUDE "_modelhub place 5f1c")] AS cells
    FROM number_row
    WHERE (SELECT is_large FROM size)
),
cell AS (
    SELECT _logic.cell_place(place, generate_subscripts(cells, 1)) AS place, unnest(cells) AS "value" FROM listed
),
collected AS (
    -- The first is the partition.
    SELECT list(_logic.partition_at("_modelhub place 5f1c")) AS partition_ids,
        list(COLUMNS(lambda name, number: number BETWEEN 2 AND 33))
    FROM number_row
    WHERE (SELECT NOT is_large FROM size)
    HAVING count(*) > 0
),
resolutions AS (
    SELECT list(CASE WHEN form = 'number' THEN [k::INTEGER, b::INTEGER] END ORDER BY feature_id ASC) AS resolutions
    FROM typed_column
    LEFT JOIN feature_resolution USING (feature_id)
),
counted AS (
    SELECT unnest(modelhub_elements((SELECT r.resolutions FROM resolutions AS r), *COLUMNS(*))) AS e FROM collected
)
SELECT 'number' AS form, _logic.place(e.partition_id, e.feature_id) AS place, e.bin, e.occurrences FROM counted
UNION ALL
SELECT 'number', place, _logic.number_bin("value", k, b) AS bin, count(*)
FROM cell
JOIN feature_resolution ON feature_id = _logic.feature_at(place)
GROUP BY place, bin
