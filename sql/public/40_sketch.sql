-- a feature of a dataset: all that a hub keeps of it, its histogram, MinHash signature and the histogram of each partition
-- example: SELECT feature, kind, "values", nulls FROM sketch('target.parquet')
CREATE MACRO sketch(dataset, exclude := [], forms := NULL, nested := NULL) AS TABLE
FROM _logic.sketch(dataset, exclude := exclude, forms := forms, nested := nested)
