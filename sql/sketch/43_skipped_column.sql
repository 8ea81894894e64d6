-- columns that the sketch leaves out, each with the reason (one row)
SELECT coalesce(list(
    feature || ' (' || CASE
        WHEN form IS NULL THEN left(type, 100)
        WHEN reason IS NOT NULL THEN reason
        ELSE left(type, 100) || ', only NULL'
    END || ')'
    ORDER BY feature_id ASC
), []) AS skipped
FROM typed_column
ANTI JOIN feature_histogram USING (feature_id)
LEFT JOIN left_out USING (feature_id)
