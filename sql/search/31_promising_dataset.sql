-- a dataset that may be among the nearest, whose features of other names are compared with the target's, too; features that count
-- In Python, where there are hundreds (_logic.are_too_many), those that an estimate puts first.
FROM possible_dataset
