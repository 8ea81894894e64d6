-- What a verdict costs in this hub, by what was measured. No verdict depends on it. What is usual, how much it weighs and from
-- how many targets on the hub says something of its own was chosen by examples/measurements/outcomes.py.

CREATE MACRO _logic.usual_loss(verdict) AS CASE verdict
    WHEN 'same' THEN 0 WHEN 'close' THEN 8e-2 WHEN 'partly' THEN 14e-2 WHEN 'far' THEN 16e-2
END;
COMMENT ON MACRO _logic.usual_loss IS 'accuracy that models of a verdict lost on the average, of the first five of a search on real data';

CREATE MACRO _logic.enough_targets() AS 3;
COMMENT ON MACRO _logic.enough_targets IS 'measured targets of a verdict from which on this hub says what the verdict costs';

CREATE MACRO _logic.weighed_loss(verdict, targets, lost) AS
    (2 * _logic.usual_loss(verdict) + targets * lost) / (2 + targets);
COMMENT ON MACRO _logic.weighed_loss IS 'the mean of targets that were measured, and of what is usual as if that were two targets more';

CREATE VIEW _logic.verdict_loss AS
WITH measured AS (
    SELECT verdict, target, target_rows, count(*) AS outcomes, avg(source_accuracy - score) AS lost
    FROM _hub.outcomes
    WHERE metric = 'accuracy' AND source_accuracy IS NOT NULL AND verdict IS NOT NULL
    GROUP BY verdict, target, target_rows
),
known AS (
    -- Models that are tried on one target share its difficulty: it counts once.
    SELECT verdict, count(*) AS targets, sum(outcomes)::BIGINT AS outcomes, _logic.settled(avg(lost)) AS measured_loss
    FROM measured
    GROUP BY verdict
)
SELECT
    v.verdict, _logic.usual_loss(v.verdict) AS usual_loss, coalesce(k.outcomes, 0) AS outcomes, coalesce(k.targets, 0) AS targets,
    k.measured_loss,
    CASE WHEN k.targets >= _logic.enough_targets()
        THEN _logic.settled(_logic.weighed_loss(v.verdict, k.targets, k.measured_loss)) END AS expected_loss
FROM (SELECT unnest(['same', 'close', 'partly', 'far']) AS verdict, unnest(range(4)) AS place) AS v
LEFT JOIN known AS k ON k.verdict = v.verdict
ORDER BY v.place ASC;
COMMENT ON VIEW _logic.verdict_loss IS 'a verdict, and how much accuracy its models lost in this hub';
