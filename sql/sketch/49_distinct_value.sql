-- a column of the dataset and an estimate of its distinct values
SELECT row_number() OVER ()::USMALLINT AS feature_id, distincts
FROM (
    UNPIVOT (SELECT approx_count_distinct(COLUMNS(* EXCLUDE "_modelhub row 5f1c")) FROM dataset_row)
    ON COLUMNS(*) INTO NAME feature VALUE distincts
)
