-- Claims of sql/45_spread.sql, on a real table.

CREATE TEMP TABLE torso AS FROM sketch('data/torso2.parquet', exclude := ['activity']);
CREATE TEMP TABLE histogram AS FROM sketched_histograms('torso');
CREATE TEMP TABLE distance AS FROM whole_distances('torso', 'histogram');

WITH p AS (
    SELECT h.feature_id, h.partition_id, list_transform(h.counts, lambda n: n / list_sum(h.counts)) AS p,
        list_transform(f.counts, lambda n: n / f."values") AS q
    FROM histogram AS h JOIN torso AS f USING (feature_id)
)
SELECT 'the distance of a feature of a partition from the whole is their JS divergence',
    count(*) > 50 AND bool_and(abs(d.js_divergence - js_divergence(p, q)) < 1e-12) AND max(d.js_divergence) > 0.01
FROM p
JOIN distance AS d USING (feature_id, partition_id);

SELECT 'no partition of a registered feature lies farther from the whole than its spread', count(*) > 50 AND bool_and(d.js_divergence <= f.spread + 1e-12)
    AND count(*) FILTER (abs(d.js_divergence - f.spread) < 1e-12) >= count(DISTINCT feature_id)
FROM distance AS d
JOIN torso AS t USING (feature_id)
JOIN features AS f USING (feature_id)
JOIN models AS m USING (dataset_id)
WHERE m.model = 'torso2';

WITH total AS (SELECT partition_id, sum(js_divergence) AS js_sum FROM distance GROUP BY partition_id)
SELECT 'nor, over all features, than the spread of its dataset', abs(max(js_sum) - any_value(d.spread)) < 1e-12
FROM total, datasets AS d
JOIN models AS m USING (dataset_id)
WHERE m.model = 'torso2';

WITH f AS (SELECT 1 AS feature_id, [3, 1]::UBIGINT[] AS counts, 4::UBIGINT AS "values"),
h AS (SELECT unnest([1, 1]) AS feature_id, unnest([0, 1]) AS partition_id, unnest([[3, 1], []]::UINTEGER[][]) AS counts)
SELECT 'a partition without a value is as far as can be', list(js_divergence ORDER BY partition_id) = [0, ln(2)] FROM whole_distances('f', 'h');

WITH s AS (SELECT unnest([0.1, 0.3]) AS feature, 0.2 AS dataset)
SELECT 'of two bounds of a mean the lower one holds', abs(mean_spread(feature, dataset) - 0.1) < 1e-12 FROM s;
