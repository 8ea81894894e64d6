-- a column that says nothing of the data, a key, and why: found in the sample, and left out where other columns are left
WITH found AS (
    SELECT
        feature_id, dataset_number, form,
        CASE
            WHEN cells >= _logic.least_keys() AND found = least(rows, _format.sample_rows()) AND may_be_key
                THEN 'a key: each text is another'
            WHEN form IS NOT NULL AND _logic.is_index_name(feature) THEN 'an index of pandas'
            WHEN form <> 'list' AND cells >= _logic.least_keys() AND cells = least(rows, _format.sample_rows())
                AND s.least = s.most
                THEN 'numbers the rows'
        END AS reason
    FROM typed_column
    JOIN row_permutation USING (dataset_number)
    LEFT JOIN sampled_column AS s USING (feature_id)
),
some_left AS (
    SELECT dataset_number FROM found GROUP BY dataset_number HAVING count(form) > count(reason)
)
SELECT feature_id, reason
FROM found
SEMI JOIN some_left USING (dataset_number)
WHERE reason IS NOT NULL
