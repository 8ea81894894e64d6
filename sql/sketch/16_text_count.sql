-- a text of a column of texts in a partition and its occurrences; text NULL counts what is missing, however it is spelt
WITH typed AS (
    SELECT "_modelhub partition 5f1c", _logic.text_of(COLUMNS(* EXCLUDE "_modelhub partition 5f1c"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'text')
),
listed AS (
    SELECT "_modelhub partition 5f1c" AS partition_id, [*COLUMNS(* EXCLUDE "_modelhub partition 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS text FROM listed
),
spelt AS (
    SELECT partition_id, feature_id, text, count(*) AS occurrences FROM cell GROUP BY ALL
)
SELECT partition_id, feature_id, CASE WHEN NOT _logic.is_missing_text(text)
    THEN text END AS text, sum(occurrences)::UBIGINT AS occurrences
FROM spelt
GROUP BY ALL
