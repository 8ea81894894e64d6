-- rows of the dataset, and how many features come before its own (a row for each dataset)
SELECT 0::USMALLINT AS dataset_number, 0::UBIGINT AS features_before, count(*) AS rows
FROM dataset_row
