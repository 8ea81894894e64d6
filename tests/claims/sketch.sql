-- Claims of sql/values/90_sketch.sql and of the relations of sql/sketch.

CREATE TEMP TABLE torso AS FROM _logic.sketch('data/torso1.parquet', exclude := ['activity']);
CREATE TEMP TABLE adult AS FROM _logic.sketch('data/adult.parquet', exclude := ['INCOME']);
CREATE TEMP TABLE beer AS FROM _logic.sketch('data/beer.parquet', exclude := ['label', 'split']);
CREATE TEMP TABLE sketched AS
SELECT 'torso1' AS model, * FROM torso UNION ALL SELECT 'adult', * FROM adult UNION ALL SELECT 'beer', * FROM beer;
CREATE TEMP TABLE part AS
SELECT model, feature_id, unnest(range(len(partitions)))::UINTEGER AS partition_id, unnest(partitions) AS counts FROM sketched;

SELECT 'the same data and format have the same sketch',
    count(*) = (SELECT count(*) FROM sketched)
    AND bool_and(a.feature = s.feature AND a.kind = s.kind AND a."values" = s."values" AND a.nulls = s.nulls
        AND a.k IS NOT DISTINCT FROM s.k AND a.b IS NOT DISTINCT FROM s.b
        AND a.bins = s.bins AND a.counts = s.counts AND a.minhash = s.minhash)
FROM sketched AS a
JOIN (FROM features JOIN (SELECT model, dataset_id FROM models) USING (dataset_id)) AS s USING (model, feature_id);

WITH stored AS (
    SELECT model, feature_id, partition_id, h.counts FROM histograms AS h JOIN models USING (dataset_id) WHERE model IN (SELECT model FROM sketched)
)
SELECT 'and the same histograms, partition by partition',
    (SELECT count(*) FROM stored) > 0
    AND (SELECT count(*) FROM (FROM stored EXCEPT FROM part)) = 0
    AND (SELECT count(*) FROM (FROM part EXCEPT FROM stored)) = 0;

SELECT 'an excluded column is not sketched, whatever its case', count(*) FILTER (lower(feature) = 'income') = 0 AND count(*) > 1 FROM adult;

SELECT 'the bins of a feature are distinct, the most frequent first',
    bool_and(len(bins) = len(list_distinct(bins)) AND counts = list_reverse_sort(counts))
FROM sketched;

SELECT 'the counts of a feature add up to its values',
    bool_and(list_sum(counts) = "values" AND len(bins) = len(counts) AND list_min(counts) > 0 AND distincts <= "values")
FROM sketched;

SELECT 'numbers take no more bins than the format allows', bool_and(len(bins) <= _format.most_bins()) FROM sketched WHERE kind <> 'text';

SELECT 'every value and NULL of a column of numbers is counted once', bool_and("values" + nulls = rows) AND count(*) > 8
FROM sketched
WHERE kind = 'number';

SELECT 'a signature has minhash_bands * minhash_rows values',
    bool_and(len(minhash) = _format.minhash_bands() * _format.minhash_rows() AND elements > 0)
FROM sketched;

SELECT 'a partition counts each bin of its feature, or none at all',
    bool_and(len(p.counts) IN (0, len(s.bins))) AND bool_and(len(s.partitions) = greatest(1, round(s.rows / _format.partition_size())))
FROM part AS p
JOIN sketched AS s USING (model, feature_id);

WITH occurrence AS (
    SELECT model, feature_id, unnest(range(1, len(counts) + 1)) AS position, unnest(counts) AS n FROM part
),
summed AS (
    SELECT model, feature_id, list(n::UBIGINT ORDER BY position) AS counts
    FROM (SELECT model, feature_id, position, sum(n) AS n FROM occurrence GROUP BY ALL)
    GROUP BY ALL
)
SELECT 'the histograms of the partitions add up to that of the whole, bin by bin',
    bool_and(summed.counts = sketched.counts) AND count(*) = (SELECT count(*) FROM sketched)
FROM sketched
JOIN summed USING (model, feature_id);

SELECT 'a column of numbers without NULLs counts m values in a partition, and what is left in the last', count(*) > 20 AND bool_and(
    list_sum(p.counts) = CASE
        WHEN p.partition_id < len(s.partitions) - 1 THEN _format.partition_size()
        ELSE s.rows - (len(s.partitions) - 1) * _format.partition_size()
    END AND 2 * list_sum(p.counts) BETWEEN least(2 * s.rows, _format.partition_size()) AND 3 * _format.partition_size()
)
FROM part AS p
JOIN sketched AS s USING (model, feature_id)
WHERE s.kind = 'number' AND s.nulls = 0;

WITH w AS (SELECT 1003 - i AS i, 'x' || i % 2 AS s FROM range(1003) AS r(i))
SELECT 'fewer rows than half of m are no partition of their own: the last has them, too', bool_and(
    list_transform(partitions, lambda counts: list_sum(counts)) = list_concat(
        list_transform(range(1003 // _format.partition_size() - 1), lambda i: _format.partition_size()),
        [_format.partition_size() + 1003 % _format.partition_size()]
    )
) AND 1003 % _format.partition_size() = 3
FROM (SELECT partitions FROM _logic.sketch('w', forms := ['number', 'text'], nested := false));

WITH p AS (
    SELECT p.model, p.feature_id, p.partition_id, s.spread, s.dataset_spread, CASE WHEN len(p.counts) > 0 THEN _logic.js_divergence(
        list_transform(p.counts, lambda n: n / list_sum(p.counts)), list_transform(s.counts, lambda n: n / s."values")
    ) ELSE ln(2) END AS js
    FROM part AS p
    JOIN sketched AS s USING (model, feature_id)
),
feature AS (SELECT abs(max(js) - any_value(spread)) < 1e-9 AS holds FROM p GROUP BY model, feature_id),
total AS (SELECT model, partition_id, sum(js) AS js, any_value(dataset_spread) AS spread FROM p GROUP BY ALL),
dataset AS (SELECT abs(max(js) - any_value(spread)) < 1e-9 AS holds FROM total GROUP BY model)
SELECT 'a spread is the greatest JS divergence of a partition from the whole, of a feature and of all together',
    (SELECT bool_and(holds) AND count(*) > 20 FROM feature) AND (SELECT bool_and(holds) AND count(*) = 3 FROM dataset)
    AND (SELECT max(js) > 0.01 FROM p);

WITH t AS (SELECT i * i % 10007 AS n, 'word' || i % 7 AS s FROM range(600) AS r(i)),
every AS (FROM _logic.sketch('t', nested := false)),
named AS (FROM _logic.sketch('t', forms := ['number', 'text'], nested := false)),
numbers AS (FROM _logic.sketch('t', forms := ['number'], nested := false))
SELECT 'the forms that a dataset has make the same sketch, fewer leave features out',
    (SELECT count(*) FROM every) = 2
    AND (SELECT count(*) FROM (FROM every EXCEPT FROM named)) = 0
    AND (SELECT list(feature) = ['n'] FROM numbers);

WITH t AS (SELECT CASE WHEN i % 3 > 0 THEN i * i END AS n, CASE WHEN i % 2 = 0 THEN 'two words' END AS s, [i % 5, 1, NULL] AS l FROM range(600) AS r(i))
SELECT 'a list counts its elements, a text its tokens, and NULLs are counted apart: ' || feature, CASE feature
    WHEN 'n' THEN "values" = 400 AND nulls = 200
    WHEN 's' THEN "values" = 600 AND nulls = 300
    ELSE "values" = 1200 AND nulls = 600
END
FROM _logic.sketch('t', nested := false);

WITH t AS (SELECT i % 10 AS few, ('0x' || left(sha1(i::VARCHAR), 8))::UBIGINT % 5000 AS many, i / 7 AS each FROM range(10000) AS r(i))
SELECT 'distinct values that come by chance, or once each, are estimated within a fifth: ' || feature,
    abs(distincts - CASE feature WHEN 'few' THEN 10 WHEN 'many' THEN (SELECT count(DISTINCT many) FROM t) ELSE 10000 END)
        <= 0.2 * distincts
FROM _logic.sketch('t', forms := ['number'], nested := false);

WITH t AS (SELECT i * i % 10007 AS square FROM range(10000) AS r(i))
SELECT 'distinct values that come twice each are estimated within a factor of two', distincts BETWEEN 5004 / 2 AND 5004 * 2
FROM _logic.sketch('t', forms := ['number'], nested := false);

WITH t AS (SELECT NULL::INTEGER AS nothing, i % 2 AS something, 'a'::BLOB AS raw FROM range(5) AS r(i))
SELECT 'a column that is all NULL or cannot be compared is skipped, and told',
    list(feature) = ['something'] AND any_value(skipped) = ['nothing (INTEGER, only NULL)', 'raw (BLOB)']
FROM _logic.sketch('t', nested := false);

WITH t AS (SELECT i AS id, 'u' || i AS name, i % 7 AS x FROM range(500) AS r(i))
SELECT 'a column that numbers the rows, or has another text in each, is a key', list(feature) = ['x'] AND len(any_value(skipped)) = 2
FROM _logic.sketch('t', nested := false);

WITH t AS (SELECT (i % 9)::VARCHAR AS n, '2012-03-0' || (1 + i % 9) AS d, '1,' || i % 9 AS c, 'w' || i % 9 AS w FROM range(90) AS r(i))
SELECT 'a column of text is of the kind that it spells',
    list(kind ORDER BY feature_id) = ['number', 'time', 'number', 'text']
    AND list(list_min(bins) ORDER BY feature_id)[1:3] = [0, epoch_us(TIMESTAMP '2012-03-01') - epoch_us(TIMESTAMP '2012-03-01') % 2 ** any_value(k) FILTER (kind = 'time'), 1]
FROM _logic.sketch('t', nested := false);

WITH t AS (SELECT i % 9 AS n FROM range(90) AS r(i)), u AS (SELECT (i % 9)::VARCHAR AS n FROM range(90) AS r(i))
SELECT 'numbers and the texts that spell them have one sketch', count(*) = 1 AND bool_and(
    t.bins = u.bins AND t.counts = u.counts AND t.k = u.k AND t.b = u.b AND t.minhash = u.minhash AND t.partitions = u.partitions
)
FROM _logic.sketch('t', forms := ['number'], nested := false) AS t
JOIN _logic.sketch('u', forms := ['text'], nested := false) AS u USING (feature);
