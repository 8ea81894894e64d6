-- a version of a model, as it is stored
-- example: FROM models WHERE source_accuracy > 0.9
CREATE VIEW models AS FROM _hub.models
