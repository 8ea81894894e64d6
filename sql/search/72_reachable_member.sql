-- a shared feature of a reachable dataset in its space, and those of the target there
FROM space_member
WHERE owner IN (SELECT dataset_id FROM reachable_dataset)
    OR (owner = 0 AND space_id IN (SELECT space_id FROM reachable_space))
