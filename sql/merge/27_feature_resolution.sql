-- a feature of numbers or times and the coarsest resolution that a part has it in: its bins are unions of those of any other
SELECT c.feature_id, max(p.k) AS k, min(p.b) AS b
FROM dataset_column AS c
JOIN part AS p USING (feature)
WHERE c.kind <> 'text'
GROUP BY c.feature_id
