-- what a dataset says in plain words: where it is from, and columns that were left out
SELECT
    dataset_id, dataset, NULL::VARCHAR AS feature, 'said in plain words' AS what, rows,
    'its source ' || source
    || CASE WHEN list_count(excluded) > 0 THEN ', and that it has the columns ' || array_to_string(excluded, ', ') ELSE '' END
    || CASE WHEN len(excluded) > list_count(excluded) THEN ', and that columns were left out, whose names are not kept'
        ELSE '' END AS meaning
FROM _hub.datasets
WHERE source <> '' OR len(excluded) > 0
