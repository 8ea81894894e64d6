-- a partition of a dataset that matches a partition of the target, JS <= t (Def. 2)
FROM verified_pair
