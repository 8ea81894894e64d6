-- a column of texts, and whether each of its texts spells a number, a comma number, a time, a clock
-- inlined: it is read once
WITH spelt AS (
    SELECT DISTINCT feature_id, text FROM some_text WHERE text IS NOT NULL
)
SELECT
    feature_id,
    bool_and(_logic.spells_number(text)) AS is_number,
    bool_and(_logic.spells_comma_number(text)) AS is_comma_number,
    bool_and(_logic.spells_time(text)) AS is_time,
    bool_and(_logic.spells_clock(text)) AS is_clock
FROM spelt
GROUP BY feature_id
