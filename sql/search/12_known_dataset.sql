-- a dataset that is searched, sketched in the format of the hub
SELECT dataset_id, rows, partitions, spread, excluded, skipped
FROM _hub.datasets
SEMI JOIN searched USING (dataset_id)
WHERE CASE
    WHEN fingerprint = _format.fingerprint() THEN true
    ELSE error('HubFormatError: dataset ' || left(dataset,
        200) || ' was sketched in another format than this hub has: register it again')
END
