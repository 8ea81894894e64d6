-- Claims of sql/values/40_minhash.sql. That signatures are datasketch's, bit for bit, is in test_minhash.py.

WITH h AS (SELECT unnest([0, 1, 4294967295])::UBIGINT AS h),
once AS (SELECT h, _logic.fmix32_step(h, 16, 2246822507::UBIGINT) AS mixed FROM h),
twice AS (SELECT h, _logic.fmix32_step(mixed, 13, 3266489909::UBIGINT) AS mixed FROM once)
SELECT 'the steps are the finaliser of MurmurHash3', list(xor(mixed, mixed >> 16) ORDER BY h) = [0, 1364076727, 2180083513] FROM twice;

SELECT 'there are four cells of numbers to an octave, on either side of 0', bool_and(cells = 4 AND below = 4) AND count(*) = 61
FROM (
    SELECT m, count(DISTINCT _logic.number_cell(2.0 ** m * (1 + i / 64e0))) AS cells,
        count(DISTINCT _logic.number_cell(-(2.0 ** m) * (1 + (i + 0.5) / 64e0))) AS below
    FROM range(-30, 31) AS r(m), range(64) AS s(i)
    GROUP BY m
);

CREATE TEMP TABLE number AS
SELECT DISTINCT unnest([x, -x]) AS x FROM (SELECT 1.07e0 ** i AS x FROM range(-2000, 2000) AS r(i))
UNION ALL
-- No bin is less than 2^-1000 away from 0.
SELECT unnest([0, 2.0 ** -1000, -(2.0 ** -1000), '1.7e308'::DOUBLE, '-1.7e308'::DOUBLE, 'inf'::DOUBLE, '-inf'::DOUBLE]);

SELECT 'a greater number never has a lower cell', bool_and(holds)
FROM (SELECT _logic.number_cell(x) >= lag(_logic.number_cell(x), 1, -9999) OVER (ORDER BY x) AS holds FROM number);

SELECT 'zero and the infinities have cells of their own', bool_and(n = 1) AND count(*) = 3
FROM (SELECT _logic.number_cell(x) AS cell, count(*) AS n, any_value(x) AS x FROM number GROUP BY cell)
WHERE x = 0 OR isinf(x);

SELECT 'a number far from 0 is in the same cell, whatever the resolution of its bin', count(*) > 1000 AND bool_and(
    _logic.number_cell(_logic.number_bin(x, -20, 4)) = _logic.number_cell(_logic.number_bin(x, -10, 2))
    AND _logic.number_cell(_logic.number_bin(x, -20, 4)) = _logic.number_cell(_logic.number_bin(x, -30, 20))
)
FROM number
WHERE x > 1;

SELECT 'a cell of times is 2^45 microseconds wide',
    _logic.time_cell(0e0) = 0 AND _logic.time_cell(2.0 ** 45 - 1) = 0 AND _logic.time_cell(2.0 ** 45) = 1 AND _logic.time_cell(-1e0) = -1;

SELECT 'an infinite time is in a cell of its own',
    _logic.time_cell('inf'::DOUBLE) > _logic.time_cell(9.2e18) AND _logic.time_cell('-inf'::DOUBLE) < _logic.time_cell(-9.2e18);

SELECT 'no occurrence is lost in the cells of ' || kind,
    list_sum(list_transform(_logic.grid_cells(kind, [0e0, 2.0 ** 46, 2.0 ** 47], [5, 2, 1], 46, 3), lambda c: c.n)) = 8
FROM (SELECT unnest(['number', 'time', 'text']) AS kind);

SELECT 'a bin of numbers is in the cell of its lower end, a token in its own',
    _logic.grid_cells('number', [x, -x], [3, 2], -3, 4) = [{cell: _logic.number_cell(x), n: 3e0}, {cell: _logic.number_cell(-x), n: 2e0}]
    AND _logic.grid_cells('text', [x], [3], NULL, NULL) = [{cell: x::BIGINT, n: 3e0}]
FROM (SELECT unnest([17e0, 64e0]) AS x);

WITH cell AS (SELECT unnest(_logic.grid_cells('time', [0e0], [8], 47, 3), recursive := true))
SELECT 'a bin of times is in all the cells that it covers, in equal parts', list(n ORDER BY cell) = [2, 2, 2, 2] AND list(cell ORDER BY cell) = [0, 1, 2, 3]
FROM (SELECT cell, sum(n) AS n FROM cell GROUP BY cell);

SELECT n || ' even bins say as much as ' || n, abs(_logic.effective_bins(list_transform(range(n), lambda i: 7)) - n) < 1e-9
FROM (SELECT unnest([1, 2, 10, 1000]) AS n);

SELECT 'uneven bins say as much as fewer even ones, and it does not depend on the number of rows',
    abs(_logic.effective_bins([9, 1]) - 1.6) < 1e-12 AND abs(_logic.effective_bins([900, 100]) - 1.6) < 1e-12;

SELECT 'effective bins are stored with each feature', bool_and(abs(effective_bins - _logic.effective_bins(counts)) < 1e-9) AND count(*) > 20
FROM features;

SELECT 'a cell is replicated by the square root of its frequency',
    _logic.replicas_of(1, 2.0) = 2 AND _logic.replicas_of(4, 2.0) = 4 AND _logic.replicas_of(16, 2.0) = 8;

SELECT 'ten times the rows of one distribution have the same replicas',
    bool_and(_logic.replicas_of(n, _logic.replica_scale(50, 100)) = _logic.replicas_of(10 * n, _logic.replica_scale(500, 1000)))
FROM (SELECT unnest([30, 50, 20]) AS n);

SELECT 'the most frequent cell has a replica, however many cells there are',
    bool_and(_logic.replicas_of(n, _logic.replica_scale(n, 2000 * n)) >= 1) AND count(*) = 999
FROM range(1, 1000) AS r(n);

SELECT 'a band folds to one number, and another order to another',
    _logic.band_signature([1, 2, 3]) = _logic.band_signature([1, 2, 3]) AND _logic.band_signature([1, 2, 3]) <> _logic.band_signature([3, 2, 1]);

SELECT 'a band of the greatest hashes folds without overflow', _logic.band_signature(list_transform(range(64), lambda i: 4294967295)) > 0;

SELECT 'a signature has a number for each band, and it is that of the values of the band', count(*) > 20 AND bool_and(
    len(_logic.band_signatures(minhash)) = _format.minhash_bands()
    AND _logic.band_signatures(minhash)[2] = _logic.band_signature(minhash[_format.minhash_rows() + 1 : 2 * _format.minhash_rows()])
)
FROM features;

SELECT 'yes and no, or a few even numbers, do not tell a feature',
    NOT _logic.is_telling('text', 2) AND NOT _logic.is_telling('number', 10) AND NOT _logic.is_telling('time', 3)
    AND _logic.is_telling('text', 3) AND _logic.is_telling('number', 12) AND _logic.is_telling('time', 4);

SELECT 'features of different names must be more alike than features that are found by values alone',
    bool_and(_logic.least_jaccard(kind, 'values') < _logic.least_jaccard(kind, 'names') AND _logic.least_jaccard(kind, 'names') < 1)
FROM (SELECT unnest(['number', 'time', 'text']) AS kind);

SELECT 'the bars of the kinds are these',
    list_transform(['number', 'time', 'text'], lambda kind: _logic.least_jaccard(kind, 'names')) = [0.48, 0.6, 0.3]
    AND list_transform(['number', 'time', 'text'], lambda kind: _logic.most_js(kind)) = [0.075, 0.15, 0.35];

SELECT 'the bar of a divergence is one that a divergence can pass', bool_and(_logic.most_js(kind) BETWEEN 0 AND ln(2))
FROM (SELECT unnest(['number', 'time', 'text']) AS kind);

SELECT 'each function is a band where less is asked for than the bands were made to find',
    _logic.is_any_function_a_band('values', NULL) AND NOT _logic.is_any_function_a_band('names', NULL)
    AND _logic.is_any_function_a_band('names', 0.1) AND NOT _logic.is_any_function_a_band('values', 0.5);
