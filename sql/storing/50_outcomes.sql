-- Stores what was measured, of modelhub_outcome. The same measured again takes the place of what it was; the distance tells
-- targets of one name apart.
DELETE FROM _hub.outcomes AS o
USING temp.main.modelhub_outcome AS n
WHERE o.model = n.model AND o.version = n.version AND o.target = n.target AND o.target_rows = n.target_rows
    AND o.metric = n.metric AND o.distance IS NOT DISTINCT FROM n.distance;

INSERT INTO _hub.outcomes
SELECT
    n.model, n.version, n.target, n.target_rows, n.verdict, n.distance, n.expected_distance, n.metric, n.score, n.rows,
    m.source_accuracy, _logic.utc_now()
FROM temp.main.modelhub_outcome AS n
JOIN _hub.models AS m ON m.model = n.model AND m.version = n.version;
