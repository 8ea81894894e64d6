-- a column of the dataset and an estimate of its distinct values, from the sample, that is drawn without replacement (Chao 2012):
-- as many as the sample has, and more where many occur once and few twice; where each occurs once, as many as there are rows
WITH sampled AS (
    SELECT feature_id, count(*) AS n FROM sample_number GROUP BY feature_id, "value"
    UNION ALL
    -- Letter by letter, whatever collation a session has.
    SELECT feature_id, count(*)
    FROM some_sample_text
    JOIN dataset_column USING (feature_id)
    WHERE content = 'text'
    GROUP BY feature_id, encode(text)
),
counted AS (
    SELECT feature_id, count(*) AS found, count(*) FILTER (n = 1) AS once, count(*) FILTER (n = 2) AS twice
    FROM sampled
    GROUP BY feature_id
)
SELECT
    feature_id,
    CASE
        WHEN rows <= _format.sample_rows() OR once = 0 THEN found
        ELSE found + once ** 2 / (2 * twice + once * _format.sample_rows() / (rows - _format.sample_rows()))
    END::UBIGINT AS distincts
FROM counted
JOIN dataset_column USING (feature_id)
JOIN row_permutation USING (dataset_number)
