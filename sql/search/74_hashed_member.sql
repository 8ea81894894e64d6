-- such a member, where partitions are hashed (search lsh)
FROM reachable_member
WHERE (SELECT search_method.search FROM search_method) = 'lsh'
