-- a number of the sample, or a time in microseconds, after the number of its row; a list has several
WITH typed AS (
    SELECT "_modelhub row 5f1c", _logic.sampled_numbers(COLUMNS(* EXCLUDE "_modelhub row 5f1c")) FROM sample_row
),
listed AS (
    SELECT "_modelhub row 5f1c" AS row, [*COLUMNS(* EXCLUDE "_modelhub row 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT row, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS numbers FROM listed
)
SELECT row, feature_id, unnest(numbers) AS "value"
FROM cell
UNION ALL
SELECT row, feature_id, _logic.spelt_value(text, content)
FROM some_sample_text
JOIN dataset_column USING (feature_id)
WHERE content <> 'text'
