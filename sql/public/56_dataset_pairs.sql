-- a dataset as the target and another that shares features of one name with it: how far that is from it; rows for both directions
-- example: FROM dataset_pairs WHERE target = 'beer' ORDER BY distance ASC LIMIT 5
CREATE VIEW dataset_pairs AS
WITH
/* pairs/ */
FROM dataset_pair
