-- a dataset and a later one: how many features of one name they share, the sum of their distances and of their JS divergences
WITH common AS (
    SELECT
        pair,
        -- In sums of p ln p: what only one side has cancels.
        sum(_logic.negentropy(s.p) + _logic.negentropy(o.p) - _logic.negentropy(s.p + o.p)) AS entropy_gain,
        sum(2 * s.p * o.p / (s.p + o.p)) AS affinity
    FROM feature_pair AS f
    JOIN resolved_bin AS s ON s.dataset_id = f.dataset_id AND s.feature_id = f.feature_id
        AND s.k IS NOT DISTINCT FROM f.k AND s.b IS NOT DISTINCT FROM f.b
    JOIN resolved_bin AS o ON o.dataset_id = f.other_id AND o.feature_id = f.other_feature_id
        AND o.k IS NOT DISTINCT FROM f.k AND o.b IS NOT DISTINCT FROM f.b AND o.resolved = s.resolved
    GROUP BY pair
)
SELECT
    dataset_id, other_id, count(*) AS shared_features,
    sum(_logic.settled(greatest(0, 1 - coalesce(affinity, 0)))) AS shared_distance,
    sum(_logic.settled(greatest(0, ln(2) + coalesce(entropy_gain, 0) / 2))) AS shared_js
FROM feature_pair
LEFT JOIN common USING (pair)
GROUP BY dataset_id, other_id
