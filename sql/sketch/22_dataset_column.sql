-- a column of the dataset, its type and form, what it holds (for a column of texts: number, comma number, time, clock or text) and so its kind
SELECT
    feature_id, dataset_number, number, feature, type, form,
    CASE WHEN form = 'text' THEN CASE
        WHEN NOT _logic.is_text_type(type) THEN 'text'
        WHEN is_number THEN 'number'
        WHEN is_comma_number THEN 'comma number'
        WHEN is_time THEN 'time'
        WHEN is_clock THEN 'clock'
        ELSE 'text'
    END END AS content,
    CASE WHEN form = 'text' THEN _logic.kind_of_content(content) ELSE type_kind END AS kind
FROM typed_column
LEFT JOIN spelt_column USING (feature_id)
