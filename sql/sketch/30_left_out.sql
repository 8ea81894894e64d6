-- a column that says nothing of the data, a key, and why: found in the sample, and left out where other columns are left
WITH counter AS (
    SELECT feature_id, 'numbers the rows' AS reason
    FROM sample_number
    JOIN typed_column USING (feature_id)
    WHERE form <> 'list' AND "value" IS NOT NULL
    GROUP BY feature_id
    HAVING count(*) >= _logic.least_keys() AND count(*) = (SELECT count(*) FROM sample_row)
        AND min("value" - row) = max("value" - row)
),
key AS (
    SELECT feature_id, 'a key: each text is another' AS reason
    FROM some_sample_text
    JOIN dataset_column USING (feature_id)
    WHERE content = 'text'
    GROUP BY feature_id
    HAVING count(*) >= _logic.least_keys() AND count(DISTINCT text) = (SELECT count(*) FROM sample_row)
        AND bool_and(_logic.may_be_key(text))
),
named AS (
    SELECT feature_id, 'an index of pandas' AS reason FROM typed_column WHERE form IS NOT NULL AND _logic.is_index_name(feature)
),
found AS (
    SELECT feature_id, min(reason) AS reason
    FROM (FROM counter UNION ALL FROM key UNION ALL FROM named)
    GROUP BY feature_id
)
SELECT feature_id, reason
FROM found
WHERE (SELECT count(*) FROM found) < (SELECT count(form) FROM typed_column)
