-- a close pair that matches, JS <= t
-- An estimate only where H2 > t leaves it open, and logarithms only where that does.
SELECT p.owner, p.source_partition, p.target_partition, p.hellinger2
FROM close_pair AS p
LEFT JOIN open_pair_estimate AS e USING (pair_id)
LEFT JOIN near_divergence AS d USING (pair_id)
WHERE coalesce(d.js_divergence, e.js_divergence, p.hellinger2) <= (SELECT threshold.max_js FROM threshold)
