-- columns that the sketch leaves out, each with the reason (a row for each dataset)
SELECT dataset_number, coalesce(list(
    feature || ' (' || CASE
        WHEN form IS NULL THEN left(type, 100)
        WHEN reason IS NOT NULL THEN reason
        ELSE left(type, 100) || CASE
            WHEN _logic.is_exact() THEN ', only NULL'
            ELSE ', no value that ' || greatest(_format.min_count(), (_format.round_counts() + 1) // 2) || ' rows have'
        END
    END || ')'
    ORDER BY number ASC
) FILTER (feature_id NOT IN (SELECT feature_id FROM feature_histogram)), []) AS skipped
FROM typed_column
LEFT JOIN left_out USING (feature_id)
GROUP BY dataset_number
