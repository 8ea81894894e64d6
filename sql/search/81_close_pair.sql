-- a pair of partitions that may match; one of the two ways is empty
FROM hashed_pair
UNION ALL
FROM compared_pair
