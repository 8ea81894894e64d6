-- Claims of sql/75_jslsh.sql. The collision law is in test_jslsh.py.

CREATE TEMP TABLE three_bins AS FROM (VALUES (1, 1, 4, 1), (1, 1, 9, 2), (1, 2, 4, 3)) AS v(space_id, slot, bin, position);
CREATE TEMP TABLE one_bin AS FROM (VALUES (1, 1, 9, 1)) AS v(space_id, slot, bin, position);
CREATE TEMP TABLE drawn AS FROM space_functions('three_bins');
CREATE TEMP TABLE width_one AS SELECT 1.0 AS width, 0.1 AS max_js;
CREATE TEMP TABLE narrow AS SELECT 0.05 AS width, 0.1 AS max_js;
CREATE TEMP TABLE partitions AS
FROM (VALUES (1, 1, 0, [1.0, 0, 0, 0]), (1, 1, 1, [1.0, 0, 0, 0]), (1, 1, 2, [0, 0, 0, 1.0])) AS v(owner, space_id, partition_id, roots);
CREATE TEMP TABLE hashed AS FROM jslsh_signatures('partitions', 'drawn', 'width_one');

SELECT 'there are L times K functions', count(*) = (SELECT jslsh_bands * jslsh_rows FROM settings) FROM drawn;

SELECT 'a function has a coordinate for each position and for everything else', bool_and(len(direction) = 4) FROM drawn;

SELECT 'a shift is a fraction of the width', bool_and(shift >= 0 AND shift < 1) AND count(DISTINCT shift) > 1 FROM drawn;

SELECT 'the coordinate of a bin does not depend on the space it is in', bool_and(d.direction[2] = e.direction[1])
FROM drawn AS d
JOIN space_functions('one_bin') AS e USING (function);

SELECT 'every hash makes a coordinate, the least and the greatest too',
    bool_and(isfinite(box_muller("left" || "right"))) AND count(*) = 4
FROM (VALUES ('00000000'), ('ffffffff')) AS l("left"), (VALUES ('00000000'), ('ffffffff')) AS r("right");

SELECT 'a coordinate is drawn once and for all', gaussian(1, 2, 3) = gaussian(1, 2, 3) AND gaussian(1, 2, 3) <> gaussian(1, 3, 2);

WITH coordinate AS (SELECT gaussian(f, 1, b) AS x FROM range(100) AS r(f), range(100) AS s(b))
SELECT 'coordinates are standard normal', abs(avg(x)) < 4 / sqrt(10000) AND abs(stddev(x) - 1) < 0.03 AND abs(avg(abs(x)) - sqrt(2 / pi())) < 0.03
FROM coordinate;

SELECT 'a partition has L bands of K values', bool_and(bands = (SELECT jslsh_bands FROM settings) AND rows = (SELECT jslsh_rows FROM settings)) AND count(*) = 3
FROM (SELECT partition_id, count(DISTINCT band) AS bands, min(len(signature)) AS rows FROM hashed GROUP BY partition_id);

SELECT 'equal partitions collide in every band', bool_and(a.signature = b.signature) AND count(*) = (SELECT jslsh_bands FROM settings)
FROM hashed AS a
JOIN hashed AS b USING (band)
WHERE a.partition_id = 0 AND b.partition_id = 1;

SELECT 'a signature is ceil((a . sqrt(P) + b) / r)', bool_and(h.signature[1] = ceil(d.direction[1] / 1.0 + d.shift)) AND count(*) > 0
FROM hashed AS h
JOIN drawn AS d ON d.function = h.band * (SELECT jslsh_rows FROM settings)
WHERE h.partition_id = 0;

SELECT 'negative values are kept, and are not all one', count(*) FILTER (value < 0) > 0 AND count(DISTINCT value) FILTER (value < 0) > 1
FROM (SELECT unnest(signature) AS value FROM jslsh_signatures('partitions', 'drawn', 'narrow'));

WITH chosen AS (FROM search_options(search := 'lsh'))
SELECT 'a search method that is asked for is taken', search = 'lsh' FROM search_method('partitions', 'chosen');

WITH chosen AS (FROM search_options(search := 'auto'))
SELECT 'few pairs are all compared', search = 'exact' FROM search_method('partitions', 'chosen');

WITH many AS (SELECT pairs_per_hash() * max(jslsh_bands * jslsh_rows) AS partition_id FROM settings),
chosen AS (FROM search_options(search := 'auto'))
SELECT 'many more partitions than hash functions are searched by LSH', search = 'lsh' FROM search_method('many', 'chosen');

CREATE TEMP TABLE torso AS FROM sketch('data/torso1.parquet', exclude := ['activity']);
CREATE TEMP TABLE every_match AS
SELECT t.feature_id AS target_feature_id, s.dataset_id, s.feature_id FROM torso AS t JOIN features AS s USING (feature, kind);

SELECT 'a dataset''s own centre collides with it on every L2-LSH function, others on fewer',
    bool_and(CASE WHEN model = 'torso1' THEN collisions = 1 ELSE collisions < 1 END) AND count(*) > 2
FROM centre_collisions('every_match', 'torso')
JOIN models USING (dataset_id);
