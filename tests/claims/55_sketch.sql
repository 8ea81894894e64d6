-- Claims of sql/55_sketch.sql.

WITH again AS (FROM sketch('data/torso1.parquet', exclude := ['activity'])),
stored AS (
    SELECT f.* FROM features AS f JOIN models AS m USING (dataset_id) WHERE m.model = 'torso1'
)
SELECT 'the same data and settings have the same sketch',
    count(*) = (SELECT count(*) FROM stored)
    AND bool_and(a.feature = s.feature AND a.kind = s.kind AND a."values" = s."values" AND a.nulls = s.nulls
        AND a.bins = s.bins AND a.counts = s.counts AND a.minhash = s.minhash)
FROM again AS a
JOIN stored AS s USING (feature_id);

WITH again AS (FROM sketch('data/adult.parquet', exclude := ['income'])),
flat AS (FROM sketched_histograms('again')),
stored AS (
    SELECT h.feature_id, h.partition_id, h.counts FROM histograms AS h JOIN models AS m USING (dataset_id) WHERE m.model = 'adult'
)
SELECT 'and the same histograms, partition by partition',
    (SELECT count(*) FROM stored) > 0
    AND (SELECT count(*) FROM (FROM stored EXCEPT FROM flat)) = 0
    AND (SELECT count(*) FROM (FROM flat EXCEPT FROM stored)) = 0;

WITH t AS (SELECT i AS n, 'word' || i % 7 AS s FROM range(600) AS r(i)),
every AS (FROM sketch('t')),
named AS (FROM sketch('t', forms := ['number', 'text'])),
numbers AS (FROM sketch('t', forms := ['number']))
SELECT 'the forms that a dataset has make the same sketch, fewer leave features out',
    (SELECT count(*) FROM every) = 2
    AND (SELECT count(*) FROM (FROM every EXCEPT FROM named)) = 0
    AND (SELECT list(feature) = ['n'] FROM numbers);

SELECT 'an excluded column is not sketched', count(*) FILTER (lower(feature) = 'income') = 0 AND count(*) > 1
FROM sketch('data/adult.parquet', exclude := ['INCOME']);

WITH t AS (SELECT 1 AS x WHERE false)
SELECT 'a dataset without rows has no elements', (SELECT count(*) FROM dataset_elements('t')) = 0;

WITH t AS (SELECT NULL::INTEGER AS nothing, i AS something, 'a'::BLOB AS raw FROM range(5) AS r(i))
SELECT 'a column that is all NULL or cannot be compared is no feature', list(feature) = ['something'] FROM sketch('t');
