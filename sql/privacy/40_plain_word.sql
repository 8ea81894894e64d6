-- what a dataset says in plain words: where it is from, and columns that were left out
SELECT
    dataset_id, dataset, NULL::VARCHAR AS feature, 'said in plain words' AS what, rows,
    'its source ' || source
    || CASE WHEN len(excluded) > 0 THEN ', and that it has the columns ' || array_to_string(excluded, ', ') ELSE '' END AS meaning
FROM _hub.datasets
WHERE source <> '' OR len(excluded) > 0
