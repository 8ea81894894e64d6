-- a column and its cells in the sample that are not missing: how many, of how many values, and how many values occur once, twice
-- least, most: of numbers how much one exceeds the number of its row; may_be_key: of texts whether each may be a key
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
