-- a pair of partitions that may match, where they are hashed
FROM hashed_pair
