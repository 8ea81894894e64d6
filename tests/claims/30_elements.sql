-- Claims of sql/30_elements.sql.

WITH x AS (SELECT unnest([-1e300, -1e9, -7.5, -0.001, 0, 0.001, 0.02, 1, 1.5, 2, 10, 11, 1e6, 1e9, 1e300]) AS x),
step AS (SELECT number_bin(x) >= lag(number_bin(x)) OVER (ORDER BY x) AS holds FROM x)
SELECT 'a greater number never has a lower bin', coalesce(bool_and(holds), false) FROM step;

SELECT 'NaN, -inf and +inf have the three bins after the last',
    number_bin('nan'::DOUBLE) = number_bins AND number_bin('-inf'::DOUBLE) = number_bins + 1 AND number_bin('inf'::DOUBLE) = number_bins + 2
FROM settings;

SELECT 'NULL has no bin', number_bin(NULL) IS NULL AND time_bin(NULL) IS NULL;

SELECT 'no finite number leaves the bins', number_bin(-1.7e308) = 0 AND number_bin(1.7e308) = number_bins - 1 FROM settings;

WITH x AS (SELECT unnest([-1e9, -1500, -20, -0.3, 0, 0.3, 12, 23.9, 40, 500, 1e9]) AS x),
step AS (SELECT time_bin(x) >= lag(time_bin(x)) OVER (ORDER BY x) AS holds FROM x)
SELECT 'a later time never has a lower bin, and no finite one leaves the bins',
    coalesce(bool_and(holds), false) AND time_bin(-1.7e308) = 0 AND time_bin(1.7e308) = time_bins() - 1
FROM step;

SELECT 'infinite times have bins of their own', time_bin('-inf'::DOUBLE) = time_bins() + 1 AND time_bin('inf'::DOUBLE) = time_bins() + 2;

SELECT 'numbers, times and texts have bins of their own',
    first_bin('number') = 0
    AND first_bin('time') >= first_bin('number') + number_bins + 3
    AND first_bin('text') >= first_bin('time') + time_bins() + 3
    AND first_bin('text') + text_bins <= missing_bin()
FROM settings;

SELECT 'the hash is the first 32 bits of SHA-1, little-endian', sha1_hash32('') = 4003674586 AND sha1_hash32('abc') = 910072233;

SELECT 'the tokens of ' || text || ' are its lower-cased words and numbers',
    flatten(list_transform(list_filter(words(text), lambda w: w <> ''), lambda w: tokens(w))) = expected
FROM (VALUES
    ('Beer & Wine 12', ['beer', '&', 'wine', '12']), ('ÜBER-Straße', ['über', 'straße']), ('10:30', ['10', '30']),
    ('$$$', ['$$$']), ('日本 酒', ['日本', '酒']), ('a  b', ['a', 'b']), (' (c) ', ['c']), ('', ['']), ('  ', [''])
) AS t(text, expected);

SELECT 'no character that is a space passes for a sign', bool_and(NOT starts_with_a_sign(chr(c) || 'a'))
FROM (SELECT unnest(range(1, 1114112))::INTEGER AS c)
WHERE c NOT BETWEEN 55296 AND 57343 AND trim(chr(c)) = '';

SELECT 'a text of spaces of any script is one space', words(chr(160) || ' ' || chr(8195)) = [' '] AND words('') = [' '];

SELECT 'a token has a bin of text, the same for every case of its word',
    text_bin('beer') BETWEEN first_bin('text') AND first_bin('text') + text_bins - 1 AND text_bin(tokens(words('BEER')[1])[1]) = text_bin('beer')
FROM settings;

WITH t AS (SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i END AS n, CASE WHEN i % 2 = 0 THEN 'two words' END AS s FROM range(600) AS r(i)),
columns AS (FROM dataset_columns('t')),
found AS (FROM numbered_rows('t')),
counted AS (
    SELECT feature, sum(occurrences) FILTER (bin IS NOT NULL) AS "values", sum(occurrences) FILTER (bin IS NULL) AS nulls
    FROM elements('found', 'columns')
    GROUP BY feature
)
SELECT 'every value of ' || feature || ' is counted once, every token of a text once, and NULLs apart',
    CASE feature WHEN 'n' THEN "values" = 400 AND nulls = 200 ELSE "values" = 600 AND nulls = 300 END
FROM counted;

WITH t AS (SELECT [i, i + 1, NULL] AS pixels FROM range(50) AS r(i)),
columns AS (FROM dataset_columns('t')),
found AS (FROM numbered_rows('t'))
SELECT 'a list counts each of its elements', sum(occurrences) FILTER (bin IS NOT NULL) = 100 AND sum(occurrences) FILTER (bin IS NULL) = 50
FROM elements('found', 'columns');
