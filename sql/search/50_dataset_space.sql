-- a dataset and the space that it is compared in (section 3.5, "dynamic"): the set of shared target features (slots) and their resolutions
WITH shared AS (
    SELECT dataset_id, list({feature_id: target_feature_id, k: k, b: b} ORDER BY target_feature_id ASC) AS slots
    FROM feature_match
    SEMI JOIN candidate_dataset USING (dataset_id)
    GROUP BY dataset_id
)
SELECT dataset_id, dense_rank() OVER (ORDER BY slots ASC) AS space_id, slots FROM shared
