-- a column that says nothing of the data, a key, and why: found in the sample, and left out where other columns are left
WITH sampled_column AS (
    SELECT feature_id, least(rows, _format.sample_rows()) AS sampled_rows FROM typed_column
        JOIN row_permutation USING (dataset_number)
),
counter AS (
    SELECT feature_id, 'numbers the rows' AS reason
    FROM sample_number
    JOIN typed_column USING (feature_id)
    JOIN sampled_column USING (feature_id)
    WHERE form <> 'list' AND "value" IS NOT NULL
    GROUP BY feature_id, sampled_rows
    HAVING count(*) >= _logic.least_keys() AND count(*) = sampled_rows AND min("value" - row) = max("value" - row)
),
key AS (
    SELECT feature_id, 'a key: each text is another' AS reason
    FROM some_sample_text
    JOIN dataset_column USING (feature_id)
    JOIN sampled_column USING (feature_id)
    WHERE content = 'text'
    GROUP BY feature_id, sampled_rows
    HAVING count(*) >= _logic.least_keys() AND count(DISTINCT text) = sampled_rows AND bool_and(_logic.may_be_key(text))
),
named AS (
    SELECT feature_id, 'an index of pandas' AS reason FROM typed_column WHERE form IS NOT NULL AND _logic.is_index_name(feature)
),
found AS (
    SELECT feature_id, min(reason) AS reason
    FROM (FROM counter UNION ALL FROM key UNION ALL FROM named)
    GROUP BY feature_id
),
some_left AS (
    SELECT dataset_number
    FROM typed_column
    LEFT JOIN found USING (feature_id)
    GROUP BY dataset_number
    HAVING count(form) > count(reason)
)
SELECT feature_id, reason
FROM found
JOIN typed_column USING (feature_id)
SEMI JOIN some_left USING (dataset_number)
