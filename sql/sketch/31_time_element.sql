-- a bin of a column of times in a partition and its occurrences; bin NULL counts what is missing
-- inlined: it is read once
WITH typed AS (
    SELECT "_modelhub partition 5f1c", _logic.time_of(COLUMNS(* EXCLUDE "_modelhub partition 5f1c"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'time')
),
listed AS (
    SELECT "_modelhub partition 5f1c" AS partition_id, [*COLUMNS(* EXCLUDE "_modelhub partition 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed
)
SELECT
    'time' AS form, _logic.place(partition_id, feature_id) AS place, _logic.number_bin("value", k, b) AS bin,
    count(*) AS occurrences
FROM cell
JOIN feature_resolution USING (feature_id)
GROUP BY place, bin
