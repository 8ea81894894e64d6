-- Claims of sql/values/30_cells.sql.

SELECT 'a date is microseconds from 1970: ' || value, _logic.time_value(value) = number
FROM (VALUES (DATE '1970-01-01', 0.0), (DATE '1970-01-02', 86400e6), (DATE '1969-12-31', -86400e6)) AS t(value, number);

SELECT 'a date and a timestamp at its midnight are one number',
    _logic.time_value(DATE '2012-03-04') = _logic.time_value(TIMESTAMP '2012-03-04 00:00:00');

SELECT 'an instant is one number, whatever time zone it is written in',
    _logic.time_value(TIMESTAMPTZ '2012-03-04 01:00:00+01') = _logic.time_value(TIMESTAMP '2012-03-04 00:00:00');

SELECT 'an infinite time is an infinite number, and so is a date that lies too far away',
    _logic.time_value(DATE 'infinity') = 'inf'::DOUBLE AND _logic.time_value(TIMESTAMP '-infinity') = '-inf'::DOUBLE
    AND _logic.time_value(DATE '999999-01-01') = 'inf'::DOUBLE;

SELECT 'a time that is missing is no number', _logic.time_value(NULL::DATE) IS NULL AND _logic.time_value(NULL::TIME) IS NULL;

SELECT 'a time of day and an interval count microseconds',
    _logic.time_value(TIME '06:30:00') = 6.5 * 3600e6 AND _logic.time_value(INTERVAL 90 MINUTE) = 1.5 * 3600e6;

SELECT 'a number is itself, a boolean 0 or 1, anything else is none',
    _logic.number_of(2.5) = 2.5 AND _logic.number_of(true) = 1 AND _logic.number_of('2') IS NULL AND _logic.number_of([2]) IS NULL
    AND _logic.number_of(DATE '2012-01-01') IS NULL;

SELECT 'only times are times', _logic.time_of(DATE '1970-01-02') = 86400e6 AND _logic.time_of(1) IS NULL AND _logic.time_of('1970-01-02') IS NULL;

SELECT 'the numbers of a list are taken one by one, however deep',
    _logic.numbers_of([1, NULL, 3]) = [1, NULL, 3] AND _logic.numbers_of([[1, 2], [3]]) = [1, 2, 3]
    AND _logic.numbers_of([[[1], [2]], [[3]]]) = [1, 2, 3] AND _logic.numbers_of(['a']) IS NULL AND _logic.numbers_of(1) IS NULL;

SELECT 'the texts of a list stand one after the other',
    _logic.text_of(['red', 'green']) = 'red green' AND _logic.text_of('red') = 'red' AND _logic.text_of([DATE '2012-01-01']) = '2012-01-01';

SELECT 'a cell has one form',
    _logic.text_of(1) IS NULL AND _logic.text_of([1]) IS NULL AND _logic.text_of(DATE '2012-01-01') IS NULL AND _logic.text_of(true) IS NULL;
