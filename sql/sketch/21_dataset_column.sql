-- a column of the dataset, its type and form, what it holds (for a column of texts: number, comma number, time, clock or text) and so its kind
WITH spelt AS (
    SELECT DISTINCT feature_id, text FROM some_text WHERE text IS NOT NULL
),
spelt_column AS (
    SELECT
        feature_id,
        CASE
            WHEN bool_and(_logic.spells_number(text)) THEN 'number'
            WHEN bool_and(_logic.spells_comma_number(text)) THEN 'comma number'
            WHEN bool_and(_logic.spells_time(text)) THEN 'time'
            WHEN bool_and(_logic.spells_clock(text)) THEN 'clock'
        END AS spelt_content
    FROM spelt
    GROUP BY feature_id
)
SELECT
    feature_id, feature, type, form,
    CASE WHEN form = 'text' THEN CASE WHEN _logic.is_text_type(type) THEN coalesce(spelt_content, 'text')
        ELSE 'text' END END AS content,
    CASE WHEN form = 'text' THEN _logic.kind_of_content(content) ELSE type_kind END AS kind
FROM typed_column
LEFT JOIN spelt_column USING (feature_id)
