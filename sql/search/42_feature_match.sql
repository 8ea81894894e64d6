-- a feature of a dataset that may be among the nearest and is shared with the target, one to one
FROM settled_match
UNION ALL
FROM open_match
