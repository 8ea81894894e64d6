-- a feature of the parts and an estimate of its distinct values
-- Values that most rows share are taken to be in both parts where their bins are; values that hardly occur twice are not.
WITH pair AS (
    SELECT
        c.feature_id, a.distincts AS n_a, b.distincts AS n_b,
        len(list_intersect(a.bins, b.bins)) / least(len(a.bins), len(b.bins)) AS share,
        (1 - a.distincts / a."values") * (1 - b.distincts / b."values") AS repeated
    FROM dataset_column AS c
    LEFT JOIN part AS a ON a.part = 1 AND a.feature = c.feature
    LEFT JOIN part AS b ON b.part = 2 AND b.feature = c.feature
)
SELECT
    feature_id,
    round(coalesce(n_a, 0) + coalesce(n_b, 0) - coalesce(least(n_a, n_b) * share * greatest(repeated, 0), 0))::UBIGINT
        AS distincts
FROM pair
