-- Claims of sql/20_cells.sql.

SELECT 'lists are taken apart: ' || type, element_type(type) = element AND list_depth(type) = depth
FROM (VALUES
    ('INTEGER', 'INTEGER', 0), ('INTEGER[]', 'INTEGER', 1), ('FLOAT[3]', 'FLOAT', 1), ('UTINYINT[28][28]', 'UTINYINT', 2),
    ('VARCHAR[][]', 'VARCHAR', 2), ('DECIMAL(9,2)[]', 'DECIMAL(9,2)', 1)
) AS t(type, element, depth);

SELECT 'a column of type ' || type || ' is ' || coalesce(kind, 'skipped'), kind_of(type) IS NOT DISTINCT FROM kind
FROM (VALUES
    ('TINYINT', 'number'), ('UBIGINT', 'number'), ('HUGEINT', 'number'), ('UHUGEINT', 'number'), ('FLOAT', 'number'),
    ('DOUBLE', 'number'), ('DECIMAL(18,3)', 'number'), ('INTEGER[]', 'number'), ('FLOAT[3]', 'number'), ('DOUBLE[2][2][2]', 'number'),
    ('DATE', 'time'), ('TIMESTAMP', 'time'), ('TIMESTAMP WITH TIME ZONE', 'time'), ('TIMESTAMP_NS', 'time'), ('TIME', 'time'),
    ('INTERVAL', 'time'),
    ('VARCHAR', 'text'), ('BOOLEAN', 'text'), ('UUID', 'text'), ('ENUM(''a'', ''b'')', 'text'), ('VARCHAR[]', 'text'),
    ('BLOB', NULL), ('BLOB[]', NULL)
) AS t(type, kind);

WITH t AS (SELECT i AS a, i AS "B", 'x' AS c FROM range(3) AS r(i))
SELECT 'excluded columns are left out, whatever their case', list(feature ORDER BY feature_id) = ['c']
FROM dataset_columns('t', exclude := ['A', 'b']);

WITH t AS (SELECT 1 AS a, {x: 2, y: {z: 'w'}} AS s)
SELECT 'a struct is its leaves', list(feature ORDER BY feature_id) = ['a', 'x', 'z'] AND list(kind ORDER BY feature_id) = ['number', 'number', 'text']
FROM dataset_columns('t');

SELECT 'a step that is coprime to ' || rows || ' visits every row once',
    (SELECT count(DISTINCT (i * step + 7) % rows) FROM range(rows) AS r(i)) = rows
FROM (SELECT rows, stride(rows) AS step FROM (VALUES (1), (2), (6), (97), (360), (1003)) AS v(rows)) AS t;

WITH t AS (SELECT i, -i AS j FROM range(1003) AS r(i)),
numbered AS (FROM numbered_rows('t')),
permutation AS (FROM row_permutation('numbered')),
partitioned AS (FROM partitioned_rows('numbered', 'permutation')),
columns AS (FROM dataset_columns('t')),
sizes AS (SELECT partition_id, feature_id, count(*) AS rows FROM number_cells('partitioned', 'columns') GROUP BY ALL),
layout AS (SELECT partition_size, 1003 // partition_size AS last, 1003 % partition_size AS residue FROM settings)
SELECT 'a partition has exactly m rows, and the last one the residue',
    bool_and(rows = CASE WHEN partition_id < last THEN partition_size ELSE residue END)
    AND count(*) = 2 * (any_value(last) + CASE WHEN any_value(residue) > 0 THEN 1 ELSE 0 END)
FROM sizes, layout;

WITH t AS (SELECT i FROM range(1003) AS r(i)),
numbered AS (FROM numbered_rows('t')),
permutation AS (FROM row_permutation('numbered')),
partitioned AS (FROM partitioned_rows('numbered', 'permutation')),
columns AS (FROM dataset_columns('t')),
seen AS (SELECT "value" AS i, count(*) AS times FROM number_cells('partitioned', 'columns') GROUP BY ALL)
SELECT 'every row is in exactly one partition', count(*) = 1003 AND max(times) = 1 AND min(i) = 0 AND max(i) = 1002
FROM seen;

WITH t AS (SELECT i FROM range(1003) AS r(i)),
numbered AS (FROM numbered_rows('t')),
permutation AS (FROM row_permutation('numbered')),
partitioned AS (FROM partitioned_rows('numbered', 'permutation')),
columns AS (FROM dataset_columns('t')),
first AS (SELECT avg("value") AS mean, max("value") - min("value") AS spread FROM number_cells('partitioned', 'columns') WHERE partition_id = 0)
SELECT 'a random partition is spread over the whole dataset', mean BETWEEN 400 AND 600 AND spread > 900 FROM first;

WITH t AS (SELECT 7 AS n, DATE '2012-01-01' AS d, [1, NULL] AS l, ['x', 'y'] AS s, '\xAA'::BLOB AS b),
numbered AS (FROM numbered_rows('t')),
permutation AS (FROM row_permutation('numbered')),
partitioned AS (FROM partitioned_rows('numbered', 'permutation')),
columns AS (FROM dataset_columns('t')),
cell AS (
    SELECT 'number' AS form, feature_id, "value"::VARCHAR AS "value" FROM number_cells('partitioned', 'columns')
    UNION ALL
    SELECT 'time', feature_id, round("value")::VARCHAR FROM time_cells('partitioned', 'columns')
    UNION ALL
    SELECT 'list', feature_id, coalesce("value"::VARCHAR, '-') FROM list_cells('partitioned', 'columns')
    UNION ALL
    SELECT 'text', feature_id, "value" FROM text_cells('partitioned', 'columns')
)
SELECT 'a cell is taken apart in the form of its column, and only in that',
    list((form, feature, "value") ORDER BY c.feature_id, "value" DESC)
        = [('number', 'n', '7.0'), ('time', 'd', '2.0'), ('list', 'l', '1.0'), ('list', 'l', '-'), ('text', 's', 'x y')]
FROM columns AS c
JOIN cell USING (form, feature_id);

WITH t AS (SELECT 1 AS "modelhub row", 2 AS "modelhub partition", 3 AS "row", 4 AS partition_id),
numbered AS (FROM numbered_rows('t')),
permutation AS (FROM row_permutation('numbered')),
partitioned AS (FROM partitioned_rows('numbered', 'permutation')),
columns AS (FROM dataset_columns('t'))
SELECT 'a column may have the name of what the stages add', list("value" ORDER BY feature_id) = [1, 2, 3, 4]
FROM number_cells('partitioned', 'columns');

SELECT 'a date is years from 2010: ' || value, abs(time_value(value) - number) < 1e-6
FROM (VALUES (DATE '2010-01-01', 0.0), (DATE '2014-01-01', 4.0), (DATE '2006-01-01', -4.0)) AS t(value, number);

SELECT 'an infinite date is an infinite number',
    time_value(DATE 'infinity') = 'inf'::DOUBLE AND time_value(TIMESTAMP '-infinity') = '-inf'::DOUBLE;

SELECT 'a time of day and an interval count hours', time_value(TIME '06:30:00') = 6.5 AND time_value(INTERVAL 90 MINUTE) = 1.5;

SELECT 'the numbers of a list are taken one by one, however deep',
    numbers_of([1, NULL, 3]) = [1, NULL, 3] AND numbers_of([[1, 2], [3]]) = [1, 2, 3] AND numbers_of([[[1], [2]], [[3]]]) = [1, 2, 3];

SELECT 'the texts of a list stand one after the other', text_of(['red', 'green']) = 'red green' AND text_of(true) = 'true';
