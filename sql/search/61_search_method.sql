-- exact or lsh (one row): automatically lsh where to hash a partition takes less time than to compare its pairs
SELECT CASE
    WHEN o.search <> 'auto' THEN o.search
    WHEN (SELECT max(len(partitions)) FROM target_sketch) > _logic.pairs_per_hash() * o.jslsh_bands * o.jslsh_rows THEN 'lsh'
    ELSE 'exact'
END AS search
FROM options AS o
