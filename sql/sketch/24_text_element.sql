-- a bin of the tokens of a column of texts in a partition and its occurrences; bin NULL counts what is missing
-- inlined: it is read once
WITH typed AS (
    SELECT "modelhub partition", _logic.text_of(COLUMNS(* EXCLUDE "modelhub partition"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM dataset_column WHERE form = 'text')
),
listed AS (
    SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM typed
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS text FROM listed
),
text_count AS MATERIALIZED (
    SELECT partition_id, feature_id, text, count(*) AS occurrences FROM cell GROUP BY ALL
),
word_count AS (
    SELECT partition_id, feature_id, word, occurrences
    FROM (SELECT partition_id, feature_id, unnest(_logic.words(text)) AS word, occurrences FROM text_count)
    WHERE word <> ''
),
vocabulary AS MATERIALIZED (
    SELECT word, _logic.text_bin(token) AS bin
    FROM (SELECT word, unnest(_logic.tokens(word)) AS token FROM (SELECT DISTINCT word FROM word_count))
)
SELECT 'text' AS form, _logic.place(partition_id, feature_id) AS place, bin, sum(occurrences) AS occurrences
FROM word_count
JOIN vocabulary USING (word)
GROUP BY place, bin
UNION ALL
SELECT 'text', _logic.place(partition_id, feature_id), NULL, occurrences FROM text_count WHERE text IS NULL
