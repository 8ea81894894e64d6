-- a shared feature of a candidate in its space, and those of the target there
FROM space_member
WHERE owner IN (SELECT dataset_id FROM candidate_dataset)
    OR (owner = 0 AND space_id IN (SELECT space_id FROM dataset_space SEMI JOIN candidate_dataset USING (dataset_id)))
