-- a column of each dataset, its type, the kind of its type, and the form of its cells: those of the first row, for all have the same
WITH layout AS (
    SELECT row_number() OVER () AS number, feature, type
    FROM (
        UNPIVOT (SELECT typeof(COLUMNS(* EXCLUDE "_modelhub row 5f1c")) FROM dataset_row LIMIT 1)
        ON COLUMNS(*) INTO NAME feature VALUE type
    )
)
SELECT
    (dataset_number * (SELECT count(*) FROM layout) + number)::USMALLINT AS feature_id, dataset_number, feature, type,
    _logic.kind_of(type) AS type_kind, _logic.form_of(type) AS form
FROM (SELECT DISTINCT _logic.dataset_at("_modelhub row 5f1c") AS dataset_number FROM dataset_row), layout
