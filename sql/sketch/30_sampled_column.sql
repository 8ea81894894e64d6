-- a column and its cells in the sample that are not missing: how many, how many others, how many of these occur once and twice;
-- of numbers the least and the most that one exceeds the number of its row by, of texts whether each may be a key
WITH sampled_value AS (
    SELECT feature_id, count(*) AS n, min("value" - row) AS least, max("value" - row) AS most, NULL::BOOLEAN AS may_be_key
    FROM sample_number
    GROUP BY feature_id, "value"
    UNION ALL
    -- Letter by letter, whatever collation a session has.
    SELECT feature_id, count(*), NULL, NULL, _logic.may_be_key(any_value(text))
    FROM some_sample_text
    JOIN dataset_column USING (feature_id)
    WHERE content = 'text'
    GROUP BY feature_id, encode(text)
)
SELECT
    feature_id, sum(n)::UBIGINT AS cells, count(*)::UBIGINT AS found, (count(*) FILTER (n = 1))::UBIGINT AS once,
    (count(*) FILTER (n = 2))::UBIGINT AS twice, min(least) AS least, max(most) AS most, bool_and(may_be_key) AS may_be_key
FROM sampled_value
GROUP BY feature_id
