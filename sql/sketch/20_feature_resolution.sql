-- a column of numbers or times and the resolution of its bins, chosen from a sample (k: the smallest quantum is 2^k; b: bits that count)
WITH typed AS (
    SELECT _logic.sampled_numbers(COLUMNS(*)) FROM sample_row
),
listed AS (
    SELECT [*COLUMNS(*)] AS cells FROM typed
),
cell AS (
    SELECT generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS numbers FROM listed
),
sampled AS (
    SELECT feature_id, unnest(numbers) AS "value" FROM cell
    UNION ALL
    SELECT feature_id, _logic.spelt_value(text, content)
    FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'text') THEN 'sample_text' ELSE 'no_text' END)
    JOIN dataset_column USING (feature_id)
    WHERE content <> 'text' AND NOT _logic.is_missing_text(text)
),
sorted AS (
    SELECT feature_id, list("value" ORDER BY "value" ASC) AS numbers FROM sampled WHERE isfinite("value") GROUP BY feature_id
)
SELECT c.feature_id, _logic.resolution(s.numbers).k::SMALLINT AS k, _logic.resolution(s.numbers).b::SMALLINT AS b
FROM dataset_column AS c
LEFT JOIN sorted AS s USING (feature_id)
WHERE c.kind <> 'text'
