-- Claims of sql/values/75_ranking.sql. How well they judge is in test_fit.py.

CREATE TEMP TABLE bin AS
SELECT n, a, b FROM (SELECT unnest([1, 2, 5, 40, 700]) AS n), (SELECT unnest([50, 500, 9000]) AS a), (SELECT unnest([50, 300, 9000]) AS b)
WHERE n <= a + b;

SELECT 'a bin is seen by both sides but for the chance that all of it is on one', bool_and(
    abs(_logic.seen_by_both(n, a, b) - (1 - (abs(a - b) / (a + b)) ** (2 * n))) < 1e-12
)
FROM bin;

SELECT 'all of it where both sides are equal', bool_and(_logic.seen_by_both(n, a, b) = 1) FROM bin WHERE a = b;

SELECT 'the expected distance of two samples is as written', bool_and(
    abs(_logic.expected_term(n, a, b) - (1 / a + 1 / b) / 4 * (1 - (abs(a - b) / (a + b)) ** (2 * n)) * (1 - n / (a + b))) < 1e-12
    AND _logic.expected_term(n, a, b) >= 0
)
FROM bin;

SELECT 'and so is its variance', bool_and(
    abs(_logic.variance_term(n, a, b) - ((1 / a + 1 / b) / 4) ** 2 * 2 * (1 - (abs(a - b) / (a + b)) ** (2 * n)) * (1 - 1 / n)) < 1e-12
    AND _logic.variance_term(n, a, b) >= 0
)
FROM bin;

SELECT 'a bin that holds everything, or a single value, adds nothing',
    _logic.expected_term(100, 50, 50) = 0 AND _logic.variance_term(1, 50, 50) = 0;

SELECT 'the more rows, the less distance is expected', _logic.expected_term(5, 5000, 5000) < _logic.expected_term(5, 500, 500);

SELECT 'the bound of an accuracy is that of Wilson', bool_and(abs(
    _logic.accuracy_bound(p, n)
    - (p + 1.96e0 ** 2 / (2 * n) - 1.96e0 * sqrt(p * (1 - p) / n + 1.96e0 ** 2 / (4e0 * n * n))) / (1 + 1.96e0 ** 2 / n)
) < 1e-12)
FROM (SELECT unnest([0, 0.3, 0.5, 0.9, 1]) AS p), (SELECT unnest([1, 10, 1000, 1000000]) AS n);

SELECT 'it is below the accuracy, and nearer the more rows there are',
    _logic.accuracy_bound(0.9, 10) < _logic.accuracy_bound(0.9, 1000) AND _logic.accuracy_bound(0.9, 1000) < 0.9
    AND 0.9 - _logic.accuracy_bound(0.9, 100000000) < 1e-4 AND abs(_logic.accuracy_bound(0, 10)) < 1e-12;

SELECT 'it is all that is known of the accuracy on the same data, and says little of other data',
    _logic.likely_accuracy(0.9, 0) = 0.9 AND abs(_logic.likely_accuracy(0.9, 0.03) - (0.5 + 0.4 / exp(1))) < 1e-12
    AND abs(_logic.likely_accuracy(0.9, 0.3) - 0.5) < 1e-4 AND _logic.likely_accuracy(NULL, 0.01) = 0.5;

SELECT 'the score is as written', bool_and(abs(
    _logic.fit_score(d, rows, features, accuracy)
    - (sqrt(d) + 3 / sqrt(rows * sqrt(features)) + 0.25 * (0.5 - (accuracy - 0.5) * exp(-d / 0.03)))
) < 1e-12)
FROM (SELECT unnest([0, 0.01, 0.5]) AS d), (SELECT unnest([1, 1000]) AS rows), (SELECT unnest([1, 16]) AS features), (SELECT unnest([0, 0.9]) AS accuracy);

SELECT 'a distance below what chance explains counts as none, an accuracy that is not known as a half',
    _logic.fit_score(-0.1, 100, 4, 0.9) = _logic.fit_score(0, 100, 4, 0.9)
    AND _logic.fit_score(0.1, 100, 4, NULL) = _logic.fit_score(0.1, 100, 4, 0.5);

SELECT 'more rows, more accurate: each is better',
    _logic.fit_score(0.1, 200, 4, 0.9) < _logic.fit_score(0.1, 100, 4, 0.9)
    AND _logic.fit_score(0.1, 100, 4, 0.95) < _logic.fit_score(0.1, 100, 4, 0.9);

SELECT 'nearer is better whatever the accuracy', bool_and(
    _logic.fit_score(d / 1000, 100, 4, accuracy) < _logic.fit_score((d + 1) / 1000, 100, 4, accuracy)
)
FROM range(1000) AS t(d), (SELECT unnest([0, 0.2, 0.5, 0.9, 1, NULL]) AS accuracy);

SELECT 'a distance of ' || coalesce(distance::VARCHAR, 'NULL') || ' is ' || coalesce(verdict, 'not judged'),
    _logic.verdict(distance, 0.01, 0.002) IS NOT DISTINCT FROM verdict
FROM (VALUES
    (0.0, 'same'), (0.01, 'same'), (0.0149, 'same'), (0.0151, 'close'), (0.0599, 'close'), (0.0601, 'partly'), (0.209, 'partly'),
    (0.211, 'far'), (0.69, 'far'), (NULL, NULL)
) AS t(distance, verdict);

SELECT 'with few rows more is the same', _logic.verdict(0.3, 0.1, 0.1) = 'same' AND _logic.verdict(0.3, 0.1, 0.01) = 'partly';

SELECT 'a number is shown as ' || shown, _logic.shown_number(x) = shown
FROM (VALUES
    (0e0, '0'), (1.5e0, '1.5'), (-0.25e0, '-0.25'), (3.14159e0, '3.142'), (1234.4e0, '1234'), (-123456e0, '-123456'), (1e6, '1e+06'),
    (0.00001234e0, '1.234e-05'), ('inf'::DOUBLE, 'inf'), ('-inf'::DOUBLE, '-inf')
) AS t(x, shown);

SELECT 'a time is shown as ' || shown, _logic.shown_time(x) = shown
FROM (VALUES
    (0e0, '0h'), (6.5 * 3600e6, '6.5h'), (-3600e6, '-1h'), (15403 * 86400e6, '2012-03-04'), (-3 * 86400e6, '1969-12-29'),
    (1e19, '1e+19'), ('inf'::DOUBLE, 'inf')
) AS t(x, shown);

SELECT 'of a bin from ' || low || ' on ' || round || ' is written', _logic.roundest_in(low, width) = round
FROM (VALUES (0e0, 9.313e-10, 0e0), (1e0, 0.125, 1e0), (60e0, 2e0, 60e0), (62e0, 2e0, 62e0), (2003e0, 1e0, 2003e0), (64e0, 64e0, 100e0),
    (-1.125, 0.125, -1.1), (5e-324, 5e-324, 5e-324), ('inf'::DOUBLE, 'inf'::DOUBLE, 'inf'::DOUBLE)) AS bin(low, width, round);

SELECT 'a range of one number is that number', _logic.shown_range('number', 36e0, 36e0) = '36';

SELECT 'a range is shown as its ends', _logic.shown_range('number', 0e0, 1.5e0) = '0 to 1.5'
    AND _logic.shown_range('time', 15403 * 86400e6, 15404 * 86400e6) = '2012-03-04 to 2012-03-05';
