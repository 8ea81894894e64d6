-- a column of the dataset and an estimate of its distinct values, from the sample, that is drawn without replacement (Chao 2012):
-- as many as the sample has, and more where many occur once and few twice; where each occurs once, as many as there are rows
SELECT
    feature_id,
    CASE
        WHEN rows <= _format.sample_rows() OR once = 0 THEN found
        ELSE found + once ** 2 / (2 * twice + once * _format.sample_rows() / (rows - _format.sample_rows()))
    END::UBIGINT AS distincts
FROM sampled_column
JOIN dataset_column USING (feature_id)
JOIN row_permutation USING (dataset_number)
