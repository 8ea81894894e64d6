-- a dataset that is compared with the others, sketched in the format of the hub
SELECT dataset_id, dataset, rows, excluded, skipped
FROM _hub.datasets
WHERE CASE
    WHEN fingerprint = _format.fingerprint() THEN true
    ELSE error('HubFormatError: dataset ' || left(dataset,
        200) || ' was sketched in another format than this hub has: register it again')
END
