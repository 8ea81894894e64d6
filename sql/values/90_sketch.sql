-- dataset -> sketch: all that is kept of a dataset. One that is registered and the target of a query go through the
-- same relations, those of sql/sketch.

CREATE MACRO _logic.sketch(dataset, exclude := [], forms := NULL, nested := NULL) AS TABLE
WITH
/* sketch/ */
FROM query_table(CASE WHEN _logic.is_sketch_file(dataset) THEN 'kept_feature' ELSE 'sketched_feature' END);
COMMENT ON MACRO TABLE _logic.sketch IS 'a feature of a dataset, or of a sketch file: its histogram, MinHash signature and the histogram of each partition; forms: of the columns, others are not looked for; NULL: all';
