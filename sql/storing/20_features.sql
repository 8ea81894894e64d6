-- Stores the features of each dataset of modelhub_sketch, and the histograms of their partitions.
INSERT INTO _hub.features BY NAME
SELECT
    getvariable('registering_dataset') + dataset_number AS dataset_id,
    s.* EXCLUDE (dataset_number, partitions, skipped, rows, dataset_spread, excluded, fingerprint)
FROM temp.main.modelhub_sketch AS s
ORDER BY dataset_id ASC, feature_id ASC;

INSERT INTO _hub.partition_counts
WITH histogram AS (
    SELECT
        getvariable('registering_dataset') + dataset_number AS dataset_id, feature_id,
        unnest(range(len(partitions)))::UINTEGER AS partition_id, unnest(partitions) AS counts,
        _logic.frequent_bins(counts, _logic.whole_partitions(rows)) AS frequent
    FROM temp.main.modelhub_sketch
)
SELECT dataset_id, feature_id, partition_id, counts[:frequent], counts[frequent + 1:]
FROM histogram
ORDER BY dataset_id ASC, feature_id ASC, partition_id ASC;
