-- Claims of sql/values/35_elements.sql.

-- Powers of two and their neighbours.
CREATE TEMP TABLE power AS
SELECT m, 2.0 ** m AS x, 2.0 ** m * (1 - 2.0 ** -53) AS below, 2.0 ** m * (1 + 2.0 ** -52) AS above FROM range(-1000, 1024) AS r(m);

SELECT 'a power of two begins its octave, exactly',
    bool_and(_logic.octave(x) = m AND _logic.octave(above) = m AND _logic.octave(below) = m - 1 AND below < x AND x < above)
FROM power;

SELECT 'the octave of the least and of the greatest number are known',
    _logic.octave('5e-324'::DOUBLE) = -1074 AND _logic.octave('1.7976931348623157e308'::DOUBLE) = 1023;

SELECT 'a quantum of b bits is the octave, divided by 2^b',
    _logic.far_quantum(8e0, -9, 3) = 1 AND _logic.far_quantum(7.99e0, -9, 3) = 0.5 AND _logic.far_quantum(-8e0, -9, 3) = 1
    AND _logic.far_quantum(8e0, 2, 3) = 4 AND _logic.far_quantum('5e-324'::DOUBLE, -1074, 3) = '5e-324'::DOUBLE;

CREATE TEMP TABLE x AS
SELECT DISTINCT unnest([x, -x, below, -below, above, -above]) AS x FROM power WHERE m % 37 = 0 OR m BETWEEN -40 AND 60
UNION
SELECT unnest([
    0, -7.5, 7.5, -0.001, 0.001, 0.1, -0.1, 1.5, 3, 10, 11, 1e6, -1e6, 1e9, 123456.789, -123456.789, 1e300, -1e300,
    '5e-324'::DOUBLE, '-5e-324'::DOUBLE, '1.7976931348623157e308'::DOUBLE, '-8.9e307'::DOUBLE
]);
CREATE TEMP TABLE resolution AS
SELECT k, b FROM (SELECT unnest([-1000, -30, -10, 0, 3, 20, 900]) AS k), (SELECT unnest([0, 3, 7, 20, 52]) AS b);
CREATE TEMP TABLE binned AS
SELECT x, k, b, _logic.number_bin(x, k, b) AS bin, _logic.bin_width(_logic.number_bin(x, k, b), k, b) AS width FROM x, resolution;

SELECT 'a number lies in its bin', count(*) = (SELECT count(*) FROM x) * (SELECT count(*) FROM resolution)
    AND bool_and(bin <= x AND (x < bin + width OR bin + width = bin AND x = bin))
FROM binned;

SELECT 'a bin is at least the smallest quantum wide, and its lower end lies in it',
    bool_and(width >= 2.0 ** k) AND bool_and(_logic.number_bin(bin, k, b) = bin)
FROM binned;

SELECT 'near 0 a bin is the smallest quantum wide, far away it is what b bits of the number make', count(*) > 100 AND bool_and(
    CASE WHEN abs(x) < 2.0 ** least(1023, k + b) THEN width = 2.0 ** k ELSE width <= greatest(2.0 ** k, abs(x) * 2.0 ** -b) END
)
FROM binned;

SELECT 'a greater number never has a lower bin', bool_and(holds)
FROM (SELECT bin >= lag(bin, 1, bin) OVER (PARTITION BY k, b ORDER BY x) AS holds FROM binned);

SELECT 'bins of a coarser resolution are unions of bins of the finer', count(*) > 1000
    AND bool_and(_logic.number_bin(fine.bin, coarse.k, coarse.b) = _logic.number_bin(fine.x, coarse.k, coarse.b))
FROM binned AS fine
JOIN resolution AS coarse ON coarse.k >= fine.k AND coarse.b <= fine.b;

SELECT 'two zeros are one', _logic.number_bin(0e0, 0, 3) = 0 AND _logic.number_bin('-0.0'::DOUBLE, 0, 3)::VARCHAR = '0.0';

SELECT 'an infinity is a bin of its own without a width, NaN is missing, and so is NULL',
    _logic.number_bin('inf'::DOUBLE, 0, 3) = 'inf'::DOUBLE AND _logic.number_bin('-inf'::DOUBLE, 0, 3) = '-inf'::DOUBLE
    AND _logic.bin_width('inf'::DOUBLE, 0, 3) = 0 AND _logic.bin_width('-inf'::DOUBLE, 0, 3) = 0
    AND _logic.number_bin('nan'::DOUBLE, 0, 3) IS NULL AND _logic.number_bin(NULL::DOUBLE, 0, 3) IS NULL;

SELECT 'a number whose bin would begin below all numbers is with minus infinity', _logic.number_bin('-1.7e308'::DOUBLE, 0, 3) = '-inf'::DOUBLE;

SELECT 'no number has the bin of what is missing', isnan(_logic.missing_bin()) AND count(*) FILTER (bin = _logic.missing_bin()) = 0 FROM binned;

SELECT 'an eighth of a difference has the octave that it has, however great it is',
    _logic.octave_between(0e0, 8e0) = 0 AND _logic.octave_between(1e0, 16.9e0) = 0 AND _logic.octave_between(1e0, 17e0) = 1
    AND _logic.octave_between(-1.7e308::DOUBLE, 1.7e308::DOUBLE) = 1000 AND _logic.octave_between(0e0, '5e-324'::DOUBLE) = -1000;

WITH sample AS (SELECT list_transform(range(1, 1001), lambda i: i::DOUBLE) AS x)
SELECT 'the smallest quantum is about an eighth of the interquartile range', _logic.resolution(x) = {k: 5, b: 4} FROM sample;

SELECT 'numbers that are 2^' || s || ' times as great have quanta 2^' || s || ' times as great',
    _logic.resolution(list_transform(range(1, 1001), lambda i: i * 2.0 ** s)) = {k: 5 + s, b: 4}
FROM (SELECT unnest([-100, -3, 1, 40, 900]) AS s);

SELECT 'numbers far from 0 have the quanta of their spread, and as many bits as their magnitude needs',
    _logic.resolution(list_transform(range(1, 1001), lambda i: 2.0 ** 30 + i)) = {k: 5, b: 25};

SELECT 'without a number, or with zeros only, bins are fine',
    _logic.resolution([]::DOUBLE[]) = {k: -30, b: 20} AND _logic.resolution(NULL::DOUBLE[]) = {k: -30, b: 20}
    AND _logic.resolution([0e0, 0e0]) = {k: -30, b: 20};

SELECT 'one constant is told from another that differs by a millionth: ' || c, bool_and(
    _logic.number_bin(c, r.k, r.b) <> _logic.number_bin(c * (1 + 2.0 ** -19), r.k, r.b)
)
FROM (SELECT c, _logic.resolution([c, c, c]) AS r FROM (SELECT unnest([1, 5, 1000, 0.001, 123456.789]::DOUBLE[]) AS c))
GROUP BY c;

SELECT 'where half of the numbers are equal, the others decide',
    _logic.resolution(list_transform(range(1, 1001), lambda i: greatest(0, i - 800)::DOUBLE)).k = _logic.octave_between(0e0, 150e0);

SELECT 'bytes are swapped', _logic.swapped_bytes(16909060::UBIGINT) = 67305985;

SELECT 'the hash is the first 32 bits of SHA-1, little-endian',
    _logic.sha1_hash32('') = 4003674586 AND _logic.sha1_hash32('abc') = 910072233;

SELECT 'the tokens of ' || text || ' are its lower-cased words and numbers, pairs of letters where these are written without spaces',
    flatten(list_transform(list_filter(_logic.words(text), lambda w: w <> ''), lambda w: _logic.tokens(w))) = expected
FROM (VALUES
    ('Beer & Wine 12', ['beer', '&', 'wine', '12']), ('ÜBER-Straße', ['über', 'straße']), ('10:30', ['10', '30']),
    ('$$$', ['$$$']), ('日本 酒', ['日本', '酒']), ('日本酒', ['日本', '本酒']), ('iPhone手机壳', ['iphone', '手机', '机壳']),
    ('ラーメン', ['ラー', 'ーメ', 'メン']), ('한국어', ['한국어']), ('ＡＢＣ１', ['abc1']), ('e' || chr(769) || 'te', ['éte']),
    ('a  b', ['a', 'b']), (' (c) ', ['c']), ('', ['']), ('  ', [''])
) AS t(text, expected);

SELECT 'a word is composed: accents in their letters, letters of normal width',
    _logic.composed('plain') = 'plain' AND _logic.composed('e' || chr(769)) = 'é' AND _logic.composed('é') = 'é' AND _logic.composed('ＡＢ１') = 'ab1';

SELECT 'only scripts without spaces are set apart',
    _logic.spaced('abc') = 'abc' AND _logic.spaced('über') = 'über' AND _logic.spaced('a日本b') = 'a 日本 b';

SELECT 'a run of Han counts as its pairs: ' || token, _logic.runs(token) = runs
FROM (VALUES
    ('日', ['日']), ('日本', ['日本']), ('日本酒', ['日本', '本酒']), ('a日本酒b', ['a', '日本', '本酒', 'b']), ('beer', ['beer']), ('über', ['über']),
    ('佐々木', ['佐々', '々木'])
) AS t(token, runs);

SELECT 'n characters of Han are n - 1 pairs, any other run is one', bool_and(
    len(_logic.pairs(repeat('酒', n))) = greatest(1, n - 1) AND _logic.pairs(repeat('x', n)) = [repeat('x', n)]
)
FROM range(1, 20) AS r(n);

SELECT 'no character that is a space passes for a sign', bool_and(NOT _logic.starts_with_a_sign(chr(c) || 'a'))
FROM (SELECT unnest(range(1, 1114112))::INTEGER AS c)
WHERE c NOT BETWEEN 55296 AND 57343 AND trim(chr(c)) = '';

SELECT 'a text of spaces of any script is one space', _logic.words(chr(160) || ' ' || chr(8195)) = [' '] AND _logic.words('') = [' '];

SELECT 'a token has a bin of text, the same for every case of its word',
    _logic.text_bin('beer') BETWEEN 0 AND _format.text_bins() - 1 AND _logic.text_bin(_logic.tokens(_logic.words('BEER')[1])[1]) = _logic.text_bin('beer');

SELECT 'partition and feature are found again in their place',
    bool_and(_logic.place(p, f) >> 16 = p AND _logic.place(p, f) & 65535 = f) AND count(DISTINCT _logic.place(p, f)) = 9
FROM (SELECT unnest([0, 1, 4294967295]) AS p), (SELECT unnest([1, 2, 65535]) AS f);
