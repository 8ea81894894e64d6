-- rows of a dataset, and how many features come before its own
SELECT
    _logic.dataset_at("_modelhub row 5f1c") AS dataset_number,
    dataset_number::UBIGINT * (SELECT max(place) FROM dataset_place) AS features_before,
    count(*) AS rows
FROM dataset_row
GROUP BY ALL
