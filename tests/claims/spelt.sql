-- Claims of sql/values/37_spelt.sql.

SELECT 'a text of what others write for a missing value is missing: ''' || text || '''', _logic.is_missing_text(text)
FROM (SELECT unnest(['', '   ', 'NA', 'n/a', ' NaN ', 'NULL', 'None', 'NaT', '<NA>', '#N/A', '-nan', '1.#QNAN']) AS text);

SELECT 'any other is not: ' || text, NOT _logic.is_missing_text(text)
FROM (SELECT unnest(['0', 'no', '-', 'missing', 'nano', 'na na', 'none of these words']) AS text);

SELECT 'a number is spelt, plainly or as people write it: ' || text, _logic.spells_number(text) AND _logic.spelt_value(text, 'number') = number
FROM (VALUES
    ('1', 1), (' 1.5 ', 1.5), ('-2', -2), ('+.5', 0.5), ('1.', 1), ('1e3', 1000), ('2E-1', 0.2), ('1,234', 1234), ('1,234,567.5', 1234567.5),
    ('1 234', 1234), ('1''234', 1234), ('1’234', 1234), ('1' || chr(160) || '234', 1234), ('1' || chr(8239) || '234', 1234), ('12%', 12),
    ('$5', 5), ('-$5', -5), ('5 €', 5), ('−7', -7), ('true', 1), ('False', 0), ('inf', 'inf'::DOUBLE), ('-Infinity', '-inf'::DOUBLE)
) AS t(text, number);

SELECT 'no number is spelt: ' || text, NOT _logic.spells_number(text)
FROM (SELECT unnest(
    ['', 'a', '1-2', '12:30', '1,23', '0,123', '12 34', '0x10', '1.2.3', '2012-01-01', 'one', '1 2', 'e5', '.', 'nan', '$', '-']
) AS text);

SELECT 'a number with a decimal comma is spelt: ' || text,
    _logic.spells_comma_number(text) AND _logic.spelt_value(text, 'comma number') = number
FROM (VALUES
    ('1,5', 1.5), ('3', 3), ('1.234', 1234), ('1.234,5', 1234.5), ('−0,25', -0.25), ('12,5 %', 12.5), ('1 234,5 €', 1234.5)
) AS t(text, number);

SELECT 'no number with a decimal comma is spelt: ' || text, NOT _logic.spells_comma_number(text)
FROM (SELECT unnest(['', '1.5', '1,2,3', '1,234.5', 'a', '-']) AS text);

SELECT 'a time is spelt: ' || text, _logic.spells_time(text) AND _logic.spelt_value(text, 'time') = epoch_us(value)
FROM (VALUES
    ('2012-03-04', TIMESTAMP '2012-03-04'), ('2012-03-04T05:06', TIMESTAMP '2012-03-04 05:06:00'),
    (' 2012-03-04 05:06:07.25 ', TIMESTAMP '2012-03-04 05:06:07.25'), ('2012-03-04T05:06:07Z', TIMESTAMP '2012-03-04 05:06:07'),
    ('2012-03-04T05:06:07+02:00', TIMESTAMP '2012-03-04 03:06:07'), ('2012-03-04 05:06:07-0130', TIMESTAMP '2012-03-04 06:36:07'),
    ('2012-03-04 05:06:07+00', TIMESTAMP '2012-03-04 05:06:07'), ('1969-12-31', TIMESTAMP '1969-12-31')
) AS t(text, value);

SELECT 'no time is spelt: ' || text, NOT _logic.spells_time(text)
FROM (SELECT unnest(['', '2012', '2012-03', '2012-13-01', '2012-02-30', '04/03/2012', '05:06:07', '2012-03-04 noon']) AS text);

SELECT 'a time of day is spelt in microseconds',
    _logic.spells_clock('06:30:00') AND _logic.spells_clock(' 23:59:59.5 ') AND NOT _logic.spells_clock('24:30:00')
    AND NOT _logic.spells_clock('6:30') AND NOT _logic.spells_clock('2012-03-04')
    AND _logic.spelt_value('06:30:00', 'clock') = 6.5 * 3600e6;

SELECT 'a column of ' || content || ' is of kind ' || kind, _logic.kind_of_content(content) = kind
FROM (VALUES ('number', 'number'), ('comma number', 'number'), ('time', 'time'), ('clock', 'time'), ('text', 'text')) AS t(content, kind);

SELECT 'the index of pandas is known by its name',
    _logic.is_index_name('__index_level_0__') AND _logic.is_index_name('Unnamed: 0') AND NOT _logic.is_index_name('index')
    AND NOT _logic.is_index_name('Unnamed');

SELECT 'a key is one token with a digit',
    _logic.may_be_key('user_17') AND _logic.may_be_key('6f1c-00aa') AND NOT _logic.may_be_key('user') AND NOT _logic.may_be_key('two words 2');

SELECT 'a key is told from so many rows on', _logic.least_keys() > 1;

SELECT 'whatever a text begins with, it is missing where what is left without spaces is nothing or one of the words',
    bool_and(_logic.is_missing_text(text) = list_contains(words, lower(trim(text)))) AND count(*) FILTER (_logic.is_missing_text(text)) > 200
FROM (
    SELECT words, unnest([chr(c) || word, chr(c) || word || ' ', upper(word) || chr(c)]) AS text
    FROM (
        SELECT words, unnest(words || ['x', 'word', '1']) AS word
        FROM (SELECT [
            '', 'na', 'n/a', '<na>', '#n/a', '#na', '#n/a n/a', 'nan', '-nan', 'null', 'none', 'nat', '-1.#ind', '-1.#qnan', '1.#ind',
            '1.#qnan'
        ] AS words)
    ), (SELECT unnest(range(9, 300) || [8239, 12288, 65279])::INTEGER AS c)
);
