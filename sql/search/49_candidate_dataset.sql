-- a dataset whose partitions are compared: a comparable one, where details are asked for
FROM comparable_dataset WHERE (SELECT options.details FROM options)
