-- Stores what a hub says of each dataset of modelhub_sketch: the one of dataset_number n gets the number registering_dataset + n.
INSERT INTO _hub.datasets
SELECT
    getvariable('registering_dataset') + s.dataset_number, d.dataset, any_value(s.rows), any_value(len(s.partitions)), d.source,
    d.excluded, _logic.utc_now(), _format.fingerprint(), any_value(s.dataset_spread), any_value(s.skipped)
FROM temp.main.modelhub_sketch AS s
JOIN temp.main.modelhub_source AS d USING (dataset_number)
GROUP BY s.dataset_number, d.dataset, d.source, d.excluded
ORDER BY s.dataset_number ASC;
