-- a pair whose estimate is too near to t to decide
SELECT pair_id, owner, space_id, source_partition, target_partition
FROM open_pair_estimate
-- A little more than the error, for rounding.
WHERE abs(js_divergence - (SELECT threshold.max_js FROM threshold)) <= error + 1e-9
