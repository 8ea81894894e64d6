-- t, given or chosen from the sample, and r of Eq. 2.4 for it (one row)
-- Every dataset weighs the same, however few partitions it has.
WITH weighted AS (
    SELECT js_divergence, 1 / count(*) OVER (PARTITION BY owner) AS weight
    FROM sample_divergence
    JOIN sample_pair USING (pair_id)
),
ranked AS (
    SELECT js_divergence, sum(weight) OVER (ORDER BY js_divergence ASC) AS datasets FROM weighted
),
wanted AS (
    SELECT greatest(1, count(DISTINCT owner)) * coalesce(
        (SELECT auto_quantile FROM options), least(0.25, (SELECT auto_models FROM options) / count(DISTINCT owner))
    ) AS datasets
    FROM sample_pair
),
-- A hair above the pair it is taken from, so that rounding does not decide whether that one matches.
-- Below ln 2, at which partitions have nothing in common.
chosen AS (
    SELECT least(greatest(_logic.settled(min(js_divergence) + 2e-12), 1e-9), ln(2) - 1e-6) AS max_js
    FROM ranked
    WHERE datasets >= (SELECT datasets FROM wanted) - 1e-9
)
SELECT
    coalesce(o.max_js, chosen.max_js) AS max_js,
    o.jslsh_width * sqrt(2 * coalesce(o.max_js, chosen.max_js) / ln(2)) AS width
FROM options AS o, chosen
