-- a target that models were measured on: what is said of where it is from
SELECT
    NULL::UINTEGER AS dataset_id, target AS dataset, NULL::VARCHAR AS feature, 'a target that was measured' AS what,
    target_rows AS rows,
    'how many rows it has, how far from it ' || count(DISTINCT model) || ' models are, and how well they do there'
    AS meaning
FROM _hub.outcomes
GROUP BY target, target_rows
