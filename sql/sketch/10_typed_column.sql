-- a column of the dataset, its type, the kind of its type, and the form of its cells (number, time, list or text)
-- Datasets are numbered, from 0, where many are sketched at once (sql/many), and columns within each, from 1; one is number 0.
SELECT
    row_number() OVER ()::USMALLINT AS feature_id, 0::USMALLINT AS dataset_number, row_number() OVER ()::USMALLINT AS number,
    feature, type, _logic.kind_of(type) AS type_kind, _logic.form_of(type) AS form
FROM (
    UNPIVOT (SELECT typeof(COLUMNS(* EXCLUDE "_modelhub row 5f1c")) FROM dataset_row LIMIT 1)
    ON COLUMNS(*) INTO NAME feature VALUE type
)
