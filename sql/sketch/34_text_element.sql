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
),
-- Apart from its bin: a macro repeats its argument wherever it reads it, and all of that would be planned.
spelt AS (
    SELECT place, feature_id, _logic.spelt_value(text, content) AS "value", occurrences
    FROM text_count
    JOIN dataset_column USING (feature_id)
    WHERE content <> 'text' AND text IS NOT NULL
)
SELECT 'text' AS form, place, bin, sum(occurrences) AS occurrences
FROM word_count
JOIN vocabulary USING (word)
GROUP BY place, bin
UNION ALL
SELECT 'text', place, _logic.number_bin("value", k, b) AS bin, sum(occurrences)
FROM spelt
JOIN feature_resolution USING (feature_id)
GROUP BY place, bin
UNION ALL
SELECT 'text', place, NULL, occurrences FROM text_count WHERE text IS NULL
