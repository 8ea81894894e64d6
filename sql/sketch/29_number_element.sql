-- a bin of a column of numbers in a partition and its occurrences; bin NULL counts what is missing
-- inlined: it is read once
WITH listed AS (
    SELECT "_modelhub partition 5f1c" AS partition_id, [*COLUMNS(* EXCLUDE "_modelhub partition 5f1c")] AS cells FROM number_row
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed
)
SELECT
    'number' AS form, _logic.place(partition_id, feature_id) AS place, _logic.number_bin("value", k, b) AS bin,
    count(*) AS occurrences
FROM cell
JOIN feature_resolution USING (feature_id)
GROUP BY place, bin
