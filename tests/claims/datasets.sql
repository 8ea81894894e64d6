-- Claims of sql/values/25_datasets.sql.

SELECT 'the empty dataset has no rows', count(*) = 0 FROM _logic.no_dataset;

SELECT 'a dataset called ' || name || ' is read by ' || reader, _logic.reader_of(name) = reader
FROM (VALUES
    ('t', 'name'), ('x.parquet', 'parquet'), ('X.PARQUET', 'parquet'), ('x.csv', 'csv'), ('x.tsv.gz', 'csv'), ('x.json', 'json'),
    ('x.ndjson.zst', 'json'), ('"x.csv"', 'name'), ('x.txt', 'name')
) AS t(name, reader);

SELECT 'all rows of a file are there', count(*) = 1140 FROM _logic.dataset_rows('data/torso1.parquet');

SELECT 'a name with a star, question mark or bracket is a pattern',
    _logic.is_pattern('label*') AND _logic.is_pattern('label?') AND _logic.is_pattern('[ab]') AND NOT _logic.is_pattern('label');

SELECT excluded || CASE WHEN excludes THEN ' excludes ' ELSE ' does not exclude ' END || name, _logic.excludes(excluded, name) = excludes
FROM (VALUES
    ('a', 'A', true), ('a', 'b', false), ('a', 'ab', false), ('buyer', 'buyer.age', true), ('buyer', 'buyers.age', false),
    ('buyer.age', 'buyer', false), ('*_id', 'User_ID', true), ('*_id', 'id', false), ('label?', 'label', true), ('label?', 'labels', true),
    ('label?', 'labelled', false)
) AS t(excluded, name, excludes);

SELECT 'a column is excluded by any of a list, and by none of an empty one',
    _logic.is_excluded('a', ['b', 'A']) AND NOT _logic.is_excluded('a', ['b']) AND NOT _logic.is_excluded('a', []);

SELECT 'an exclusion that means no column is unknown, a pattern never', _logic.unknown_among(['A', 'c', 'd*', 's'], ['a', 'b', 's.x']) = ['c'];

WITH t AS (SELECT 1 AS a, {b: 2} AS s)
SELECT 'an unknown column is told', list(excluded) = ['c'] FROM _logic.unknown_columns('t', ['A', 's', 's.b', 'c']);

WITH t AS (SELECT i AS a, i AS "B", 'x' AS c FROM range(3) AS r(i))
SELECT 'excluded columns are left out, whatever their case', list(feature ORDER BY feature_id) = ['c']
FROM _logic.dataset_columns('t', exclude := ['A', 'b']);

WITH t AS (SELECT 1 AS a, {x: 2, y: {z: 'w'}} AS s)
SELECT 'a struct is its leaves, called by their path',
    list(feature ORDER BY feature_id) = ['a', 's.x', 's.y.z'] AND list(kind ORDER BY feature_id) = ['number', 'number', 'text']
FROM _logic.dataset_columns('t');

WITH t AS (SELECT 1 AS a, {x: 2} AS s), u AS (SELECT 1 AS a, [{x: 2}] AS s)
SELECT 'a dataset with a struct has structs, one with a list of them has none',
    (FROM _logic.has_structs('t')) AND NOT (FROM _logic.has_structs('u')) AND (FROM _logic.has_structs('_logic.no_dataset')) IS NULL;

WITH t AS (SELECT 1 AS a, 'x' AS b, [1.5] AS c)
SELECT 'whoever knows that there are no structs finds the same columns', count(*) = 3 AND (
    SELECT count(*) FROM (FROM _logic.dataset_columns('t', nested := false) EXCEPT FROM _logic.dataset_columns('t'))
) = 0
FROM _logic.dataset_columns('t');

SELECT 'the cells of a column of type ' || type || ' have the form ' || coalesce(form, 'of none'), _logic.form_of(type) IS NOT DISTINCT FROM form
FROM (VALUES
    ('INTEGER', 'number'), ('BOOLEAN', 'number'), ('INTEGER[]', 'list'), ('FLOAT[3][3]', 'list'), ('DATE', 'time'), ('VARCHAR', 'text'),
    ('VARCHAR[]', 'text'), ('BLOB', NULL)
) AS t(type, form);

WITH t AS (SELECT i FROM range(1003) AS r(i))
SELECT 'rows are numbered from 0 in their order', count(*) = 1003 AND bool_and("_modelhub row 5f1c" = i) FROM _logic.numbered_rows('t');

WITH t AS (SELECT 1 AS "modelhub row", 2 AS "modelhub partition", 3 AS "row", 4 AS partition_id, 5 AS feature_id, 6 AS "value")
SELECT 'a column may have the name of what is added', list(feature ORDER BY feature_id) = [
    'modelhub row', 'modelhub partition', 'row', 'partition_id', 'feature_id', 'value'
] AND (SELECT COLUMNS(*)::VARCHAR || '' FROM (SELECT "value" FROM _logic.numbered_rows('t'))) = '6'
FROM _logic.dataset_columns('t');

SELECT 'a step that is coprime to ' || rows || ' visits every row once',
    (SELECT count(DISTINCT (i * step + 7) % rows) FROM range(rows) AS r(i)) = rows
FROM (SELECT rows, _logic.stride(rows) AS step FROM (VALUES (1), (2), (6), (97), (360), (1003)) AS v(rows)) AS t;

SELECT 'for any number of rows there is a step', bool_and(gcd(_logic.stride(rows), rows) = 1)
FROM (SELECT unnest([1, 2, 30, 30030, 9699690, 614889782588491410, 1000000007]) AS rows);
