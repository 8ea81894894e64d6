-- a bin of a column of texts in a partition and its occurrences: of its tokens, or of what it spells; bin NULL counts what is missing
-- inlined: it is read once
WITH word_count AS (
    SELECT place, word, occurrences
    FROM (
        SELECT place, unnest(_logic.words(text)) AS word, occurrences
        FROM text_count
        JOIN dataset_column USING (feature_id)
        WHERE content = 'text'
    )
    WHERE word <> ''
),
vocabulary AS MATERIALIZED (
    SELECT word, _logic.text_bin(token) AS bin
    FROM (SELECT word, unnest(_logic.tokens(word)) AS token FROM (SELECT DISTINCT word FROM word_count))
)
SELECT 'text' AS form, place, bin, sum(occurrences) AS occurrences
FROM word_count
JOIN vocabulary USING (word)
GROUP BY place, bin
UNION ALL
SELECT 'text', place, _logic.number_bin(_logic.spelt_value(text, content), k, b) AS bin, sum(occurrences)
FROM text_count
JOIN dataset_column USING (feature_id)
JOIN feature_resolution USING (feature_id)
WHERE content <> 'text' AND text IS NOT NULL
GROUP BY place, bin
UNION ALL
SELECT 'text', place, NULL, occurrences FROM text_count WHERE text IS NULL
