-- a text of a column of texts in a partition and its occurrences; text NULL counts what is missing, however it is spelt
WITH typed AS (
    SELECT "_modelhub place 5f1c", _logic.text_of(COLUMNS(* EXCLUDE "_modelhub place 5f1c"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'text')
),
listed AS (
    SELECT "_modelhub place 5f1c" AS place, [*COLUMNS(* EXCLUDE "_modelhub place 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT _logic.cell_place(place, generate_subscripts(cells, 1)) AS place, unnest(cells) AS text FROM listed
),
spelt AS (
    SELECT place, text, count(*) AS occurrences FROM cell GROUP BY ALL
)
SELECT
    place, _logic.feature_at(place) AS feature_id, CASE WHEN NOT _logic.is_missing_text(text) THEN text END AS text,
    sum(occurrences)::UBIGINT AS occurrences
FROM spelt
GROUP BY ALL
