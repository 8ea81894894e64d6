-- a feature of the target: its histogram and MinHash signature, without the histograms of its partitions
-- optimizer: the limit, which no sketch reaches, keeps the sketch from being joined with the histograms of all its partitions
-- in every row (100 models, 1,000 target partitions)
SELECT * EXCLUDE (partitions) FROM target_sketch LIMIT 65536
