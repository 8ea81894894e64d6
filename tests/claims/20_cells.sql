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
    (SELECT count(DISTINCT (i * stride(rows) + 7) % rows) FROM range(rows) AS r(i)) = rows
FROM (VALUES (1), (2), (6), (97), (360), (1003)) AS t(rows);

WITH t AS (SELECT i, -i AS j FROM range(1003) AS r(i)),
sizes AS (SELECT partition_id, feature_id, count(*) AS rows FROM cells('t') GROUP BY ALL),
layout AS (SELECT partition_size, 1003 // partition_size AS last, 1003 % partition_size AS residue FROM settings)
SELECT 'a partition has exactly m rows, and the last one the residue',
    bool_and(rows = CASE WHEN partition_id < last THEN partition_size ELSE residue END)
    AND count(*) = 2 * (any_value(last) + CASE WHEN any_value(residue) > 0 THEN 1 ELSE 0 END)
FROM sizes, layout;

WITH t AS (SELECT i FROM range(1003) AS r(i)),
seen AS (SELECT cell.num AS i, count(*) AS times FROM cells('t') GROUP BY ALL)
SELECT 'every row is in exactly one partition', count(*) = 1003 AND max(times) = 1 AND min(i) = 0 AND max(i) = 1002
FROM seen;

WITH t AS (SELECT i FROM range(1003) AS r(i)),
first AS (SELECT avg(cell.num) AS mean, max(cell.num) - min(cell.num) AS spread FROM cells('t') WHERE partition_id = 0)
SELECT 'a random partition is spread over the whole dataset', mean BETWEEN 400 AND 600 AND spread > 900 FROM first;

SELECT 'a date is years from 2010: ' || value, abs(time_value(value) - number) < 1e-6
FROM (VALUES (DATE '2010-01-01', 0.0), (DATE '2014-01-01', 4.0), (DATE '2006-01-01', -4.0)) AS t(value, number);

SELECT 'an infinite date is an infinite number',
    time_value(DATE 'infinity') = 'inf'::DOUBLE AND time_value(TIMESTAMP '-infinity') = '-inf'::DOUBLE;

SELECT 'a time of day and an interval count hours', time_value(TIME '06:30:00') = 6.5 AND time_value(INTERVAL 90 MINUTE) = 1.5;

SELECT 'the numbers of a list are taken one by one, however deep',
    list_value_of([1, NULL, 3]) = [1, NULL, 3] AND list_value_of([[1, 2], [3]]) = [1, 2, 3] AND list_value_of([[[1], [2]], [[3]]]) = [1, 2, 3];

SELECT 'the texts of a list stand one after the other', text_value(['red', 'green']) = 'red green' AND text_value(true) = 'true';
