-- a feature of the target at a resolution that it is compared at
SELECT target_feature_id, k, b, row_number() OVER (ORDER BY target_feature_id ASC, k ASC, b ASC) AS resolution_id
FROM (SELECT DISTINCT target_feature_id, k, b FROM named_pair)
