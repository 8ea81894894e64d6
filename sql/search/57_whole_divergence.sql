-- a dataset and its divergences from the target over what they share, each taken as one partition
WITH bin AS (
    SELECT
        s.owner AS dataset_id,
        len(s.roots) AS size,
        unnest(s.roots) ** 2 AS p,
        unnest(t.roots) ** 2 AS q
    FROM whole_vector AS s
    JOIN whole_vector AS t ON t.space_id = s.space_id AND t.owner = 0
    WHERE s.owner <> 0
)
SELECT
    dataset_id,
    _logic.settled(sum(_logic.js_term(p, q))) AS shared_js,
    _logic.settled(sum(_logic.kl_term(_logic.smoothed(q, size), _logic.smoothed(p, size)))) AS kl_target_source,
    _logic.settled(sum(_logic.kl_term(_logic.smoothed(p, size), _logic.smoothed(q, size)))) AS kl_source_target
FROM bin
GROUP BY dataset_id
