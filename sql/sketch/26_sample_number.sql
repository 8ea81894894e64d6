-- a number of the sample, or a time in microseconds, after the number of its row; a list has several
WITH sampled AS (
    FROM query_table(
        CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'number') THEN 'sampled_number' ELSE 'no_sampled' END
    )
    UNION ALL
    FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'time') THEN 'sampled_time' ELSE 'no_sampled' END)
    UNION ALL
    FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'list') THEN 'sampled_list' ELSE 'no_sampled' END)
)
FROM sampled
WHERE "value" IS NOT NULL
UNION ALL
SELECT row, feature_id, _logic.spelt_value(text, content)
FROM some_sample_text
JOIN dataset_column USING (feature_id)
WHERE content <> 'text'
