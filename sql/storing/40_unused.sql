-- Removes the datasets that no model is left to use.
DELETE FROM _hub.partition_counts WHERE dataset_id IN (SELECT dataset_id FROM _logic.unused_datasets);
DELETE FROM _hub.features WHERE dataset_id IN (SELECT dataset_id FROM _logic.unused_datasets);
DELETE FROM _hub.datasets WHERE dataset_id IN (SELECT dataset_id FROM _logic.unused_datasets);
