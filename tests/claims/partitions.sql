-- Claims of sql/values/70_partitions.sql. The collision law is in test_jslsh.py.

SELECT 'every hash makes a coordinate, the least and the greatest too',
    bool_and(isfinite(_logic.box_muller("left" || "right"))) AND count(*) = 4
FROM (VALUES ('00000000'), ('ffffffff')) AS l("left"), (VALUES ('00000000'), ('ffffffff')) AS r("right");

SELECT 'a coordinate is drawn once and for all',
    _logic.gaussian(1, 2, 3) = _logic.gaussian(1, 2, 3) AND _logic.gaussian(1, 2, 3) <> _logic.gaussian(1, 3, 2);

SELECT 'coordinates are standard normal',
    abs(avg(x)) < 4 / sqrt(10000) AND abs(stddev(x) - 1) < 0.03 AND abs(avg(abs(x)) - sqrt(2 / pi())) < 0.03
FROM (SELECT _logic.gaussian(f, 1, b) AS x FROM range(100) AS r(f), range(100) AS s(b));

SELECT 'to hash takes longer than to compare', _logic.pairs_per_hash() > 1;

SELECT 'every pair of partitions has a number of its own, the greatest too', count(DISTINCT _logic.pair_number(o, s, t)) = 27
FROM (SELECT unnest([0, 1, 4294967295]) AS o), (SELECT unnest([0, 1, 4294967295]) AS s), (SELECT unnest([0, 1, 4294967295]) AS t);

SELECT 'of ' || n || ' partitions so many are sampled', count(*) FILTER (_logic.is_sampled(i, n)) = least(n, _logic.sample_size())
FROM (SELECT n, unnest(range(n)) AS i FROM (SELECT unnest([1, 3, 4, 5, 12, 1000]) AS n))
GROUP BY n;

SELECT 'an aligned space has a slot for each feature, a flattened one for each kind',
    _logic.slot_of(7, 'number', 'aligned') = 7
    AND list_transform(['number', 'time', 'text'], lambda kind: _logic.slot_of(7, kind, 'flattened')) = [0, 1, 2];
