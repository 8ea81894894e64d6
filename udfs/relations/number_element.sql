-- a bin of a column of numbers in a partition, as one number, its occurrences and the sum of its values
-- inlined: it is read once
-- The bins of each column are collected in a list and counted in numpy. Lists can't be spilled to disk, so the
-- cells of a dataset that is large beside memory_limit are counted in SQL; and those of a wide one, because each column
-- takes a millisecond to plan (32 columns: chosen by examples/benchmarks/counting.py; learnt bins are a long expression).
WITH size AS MATERIALIZED (
    SELECT
        width > CASE _format.number_binning() WHEN 'learnt' THEN 1 ELSE 32 END
        OR rows * width > least(1 << 26, split_part(current_setting('memory_limit'), ' ', 1)::DOUBLE
            * 1024 ** list_position(['KiB', 'MiB', 'GiB', 'TiB'], split_part(current_setting('memory_limit'), ' ', 2)) / 32) AS is_large
    FROM row_permutation, (SELECT max(feature_id) AS width FROM dataset_column)
),
large_row AS (
    FROM number_row WHERE (SELECT is_large FROM size)
),
listed AS (
    SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM large_row
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed
),
collected AS (
    -- The first is the partition.
    SELECT
        list("modelhub partition") AS "modelhub partition",
        _logic.collected_column(COLUMNS(lambda name, place: place BETWEEN 2 AND CASE _format.number_binning() WHEN 'learnt' THEN 1 ELSE 32 END + 1))
    FROM number_row
    WHERE (SELECT NOT is_large FROM size)
    HAVING count(*) > 0
),
counted AS (
    SELECT unnest(modelhub_elements(_format.number_bins(), *COLUMNS(*))) AS e FROM collected
)
SELECT 'number' AS form, _logic.element_key(e.partition_id, e.feature_id, e.bin) AS element, e.occurrences, e.total FROM counted
UNION ALL
SELECT 'number', _logic.element_key(partition_id, feature_id, _logic.number_bin("value")) AS element, count(*), sum("value")
FROM cell
GROUP BY element
