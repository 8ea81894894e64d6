-- a bin of a column of times in a partition, as one number, its occurrences and the sum of its values
-- inlined: it is read once
WITH typed AS (
    SELECT "modelhub partition", _logic.time_of(COLUMNS(* EXCLUDE "modelhub partition"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM dataset_column WHERE form = 'time')
),
listed AS (
    SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM typed
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed
)
SELECT
    'time' AS form,
    _logic.element_key(partition_id, feature_id, _logic.first_bin('time') + _logic.time_bin("value")) AS element,
    count(*) AS occurrences, sum("value") AS total
FROM cell
GROUP BY element
