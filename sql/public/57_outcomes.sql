-- what a model did on a target, a measurement, beside what the search said of it
-- example: SELECT model, target, verdict, source_accuracy - score AS lost FROM outcomes
CREATE VIEW outcomes AS FROM _hub.outcomes
