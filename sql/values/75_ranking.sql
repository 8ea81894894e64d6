-- What a distance means: the sampling error of a distance, the default ranking and the verdict. The form and its constants
-- were chosen by examples/evaluation.

CREATE MACRO _logic.settled(x) AS round(x, 12);
COMMENT ON MACRO _logic.settled IS 'a sum without the last digits, which depend on the order of its terms';

CREATE MACRO _logic.seen_by_both(n, a, b) AS 1 - exp(2 * n * ln(greatest(abs(a::DOUBLE - b) / (a + b), 1e-300)));
COMMENT ON MACRO _logic.seen_by_both IS 'how far a bin with n values of both sides says something, where the sides have a and b values in all: all of it where a = b, little of a rare bin where one side is small';

CREATE MACRO _logic.expected_term(n, a, b) AS (a + b) / (4e0 * a * b) * _logic.seen_by_both(n, a, b) * (1 - n / (a + b));
COMMENT ON MACRO _logic.expected_term IS 'what such a bin adds to the distance that two samples of one distribution are expected to have';

CREATE MACRO _logic.variance_term(n, a, b) AS
    ((a + b) / (4e0 * a * b)) ** 2 * 2 * _logic.seen_by_both(n, a, b) * (1 - 1 / n::DOUBLE);
COMMENT ON MACRO _logic.variance_term IS 'what such a bin adds to the variance of that distance';

CREATE MACRO _logic.accuracy_bound(accuracy, n) AS
    (accuracy + 1.9208 / n - 1.96 * sqrt(accuracy * (1 - accuracy) / n + 0.9604 / (n::DOUBLE * n))) / (1 + 3.8416 / n);
COMMENT ON MACRO _logic.accuracy_bound IS 'lower end of the 95 % confidence interval (Wilson) of an accuracy that was measured on n rows';

CREATE MACRO _logic.likely_accuracy(accuracy_bound, judged_distance) AS
    0.5 + (coalesce(accuracy_bound, 0.5) - 0.5) * exp(-greatest(0, judged_distance) / 0.03e0);
COMMENT ON MACRO _logic.likely_accuracy IS 'what such a bound says of the accuracy on a target: all where the data is the same, the less the farther it is; 0.5 says nothing';

CREATE MACRO _logic.fit_score(judged_distance, rows, features, accuracy_bound) AS
    sqrt(greatest(0, judged_distance)) + 3 / sqrt(rows * sqrt(features))
    + 0.25 * (1 - _logic.likely_accuracy(accuracy_bound, judged_distance));
COMMENT ON MACRO _logic.fit_score IS 'what models are ranked by, the less the better: the distance less most of what chance explains; too few rows; where the data is near, an accuracy that may be low';

CREATE MACRO _logic.verdict(distance, expected, deviation) AS CASE
    WHEN distance - expected <= 2.5 * deviation THEN 'same'
    WHEN distance - expected <= 0.05 THEN 'close'
    WHEN distance - expected <= 0.2 THEN 'partly'
    WHEN distance IS NOT NULL THEN 'far'
END;
COMMENT ON MACRO _logic.verdict IS 'same: not told apart, as far as so many rows can tell; close, partly or far: by how much accuracy was lost at such a distance';

CREATE MACRO _logic.shown_number(x) AS CASE
    WHEN isinf(x) THEN x::VARCHAR
    WHEN abs(x) >= 1000 AND abs(x) < 1e6 THEN printf('%.0f', x)
    ELSE printf('%.4g', x)
END;
COMMENT ON MACRO _logic.shown_number IS 'a number as people write it, four digits';

CREATE MACRO _logic.shown_time(x) AS CASE
    WHEN isinf(x) THEN x::VARCHAR
    WHEN abs(x) < 172800000000 THEN printf('%.4gh', x / 3600000000)
    WHEN abs(x) < 9e18 THEN make_timestamp(x::BIGINT)::DATE::VARCHAR
    ELSE printf('%.4g', x)
END;
COMMENT ON MACRO _logic.shown_time IS 'a time in microseconds as people write it: a date, or hours';

CREATE MACRO _logic.step_in(low, width, step) AS
    CASE WHEN ceil(low / step) * step < low + width THEN ceil(low / step) * step END;
COMMENT ON MACRO _logic.step_in IS 'the least multiple of a step from low on, NULL where none is below low + width';

CREATE MACRO _logic.roundest_in(low, width) AS coalesce(
    _logic.step_in(low, width, 10 * power(10, floor(log10(nullif(width, 0))))),
    _logic.step_in(low, width, power(10, floor(log10(nullif(width, 0))))),
    low
);
COMMENT ON MACRO _logic.roundest_in IS 'what people write of a bin of numbers: the number of fewest digits in it';

CREATE MACRO _logic.shown_range(kind, low, high) AS CASE
    WHEN kind = 'number' AND low = high THEN _logic.shown_number(low)
    WHEN kind = 'time' THEN _logic.shown_time(low) || ' to ' || _logic.shown_time(high)
    ELSE _logic.shown_number(low) || ' to ' || _logic.shown_number(high)
END;
COMMENT ON MACRO _logic.shown_range IS 'a range of numbers or times as people write it';
