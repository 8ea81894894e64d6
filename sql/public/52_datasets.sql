-- a sketched training dataset
-- example: SELECT dataset, rows, source FROM datasets
CREATE VIEW datasets AS FROM _hub.datasets
