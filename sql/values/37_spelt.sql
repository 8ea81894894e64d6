-- What a text spells: nothing, a number or a time. A column of text that spells only numbers, or only times, is a column of them,
-- so that csv, parquet, json and the tables of Python agree. Decided over all rows, whatever their order.

-- To trim a text and to fold it takes ten times as long as to see that it begins with no space, nor as one of the words does.
CREATE MACRO _logic.is_missing_text(text) AS CASE
    WHEN strlen(text) > 12 AND _logic.starts_with_a_sign(text) THEN false
    WHEN text >= '$' AND text < '-' OR text >= '.' AND text < '1' OR text >= '2' AND text < '<' OR text >= '=' AND text < 'N'
        OR text >= 'O' AND text < 'n' OR text >= 'o' AND text < chr(160) THEN false
    ELSE list_contains(
        [
            '', 'na', 'n/a', '<na>', '#n/a', '#na', '#n/a n/a', 'nan', '-nan', 'null', 'none', 'nat',
            '-1.#ind', '-1.#qnan', '1.#ind', '1.#qnan'
        ],
        lower(trim(text))
    )
END;
COMMENT ON MACRO _logic.is_missing_text IS 'whether a text is blank, or one of the words that pandas and others write and read for a missing value';

-- A minus may be that of Unicode; groups of three digits are set apart by a comma, a space (also U+A0, U+202F) or an apostrophe.
CREATE MACRO _logic.spells_number(text) AS regexp_full_match(
    text,
    '\s*(?i:true|false|[+-]?inf(inity)?|([+−-]\s?\p{Sc}?|\p{Sc}\s?[+−-]?)?\s?(\d+(\.\d*)?|\.\d+|[1-9]\d{0,2}([, ''’\x{A0}\x{202F}]\d{3})+(\.\d*)?)(e[+-]?\d+)?\s?[%\p{Sc}]?)\s*'
);
COMMENT ON MACRO _logic.spells_number IS 'whether a text is a number as programs write it, or with a sign of thousands, per cent or a currency; true and false are 1 and 0';

CREATE MACRO _logic.spells_comma_number(text) AS CASE
    WHEN regexp_full_match(
        text, '\s*([+−-]\s?\p{Sc}?|\p{Sc}\s?[+−-]?)?\s?(\d+|[1-9]\d{0,2}([. ''’\x{A0}\x{202F}]\d{3})+)?(,\d+)?\s?[%\p{Sc}]?\s*'
    ) THEN regexp_matches(text, '\d')
    ELSE false
END;
COMMENT ON MACRO _logic.spells_comma_number IS 'whether a text is a number with a decimal comma; 1.234 is a thousand and more';

CREATE MACRO _logic.spelt_number(text, content) AS CASE lower(trim(text))
    WHEN 'true' THEN 1
    WHEN 'false' THEN 0
    ELSE TRY_CAST(
        CASE content
            WHEN 'comma number' THEN replace(regexp_replace(replace(text, '−', '-'), '[^0-9,+-]', '', 'g'), ',', '.')
            WHEN 'number' THEN regexp_replace(replace(lower(text), '−', '-'), '[^0-9a-z.+-]', '', 'g')
        END AS DOUBLE
    )
END;
COMMENT ON MACRO _logic.spelt_number IS 'the number that a text of a column of that content spells';

CREATE MACRO _logic.spelt_time(text) AS (
    epoch_us(TRY_CAST(regexp_extract(text, '\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?') AS TIMESTAMP))
    -- Without a time zone it is a time as it is, whatever the time zone of the session.
    - 1000000 * (
        3600 * coalesce(TRY_CAST(regexp_extract(text, ':.*([+-]\d{2}):?\d{0,2}\s*$', 1) AS BIGINT), 0)
        + 60 * coalesce(TRY_CAST(regexp_extract(text, ':.*([+-])\d{2}:?(\d{2})\s*$', 1) || regexp_extract(text,
            ':.*([+-])\d{2}:?(\d{2})\s*$', 2) AS BIGINT), 0)
    )
)::DOUBLE;
COMMENT ON MACRO _logic.spelt_time IS 'the date or timestamp of ISO 8601 that a text spells, in microseconds since 1970 (UTC where it says a time zone)';

-- Of two conditions both are computed, of a CASE the second only where the first holds: it takes five times as long.
CREATE MACRO _logic.spells_time(text) AS CASE
    WHEN regexp_full_match(
        text, '\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|UTC|[+-]\d{2}(:?\d{2})?)?)?\s*'
    ) THEN _logic.spelt_time(text) IS NOT NULL
    ELSE false
END;
COMMENT ON MACRO _logic.spells_time IS 'whether a text is a date or timestamp of ISO 8601';

CREATE MACRO _logic.spells_clock(text) AS CASE
    WHEN regexp_full_match(text, '\s*\d{2}:\d{2}:\d{2}(\.\d+)?\s*') THEN TRY_CAST(left(trim(text), 15) AS TIME) IS NOT NULL
    ELSE false
END;
COMMENT ON MACRO _logic.spells_clock IS 'whether a text is a time of day';

CREATE MACRO _logic.spelt_value(text, content) AS CASE content
    WHEN 'time' THEN _logic.spelt_time(text)
    WHEN 'clock' THEN epoch_us(TRY_CAST(left(trim(text), 15) AS TIME))::DOUBLE
    ELSE _logic.spelt_number(text, content)
END;
COMMENT ON MACRO _logic.spelt_value IS 'the number, or the time in microseconds, that a text of a column of that content spells';

CREATE MACRO _logic.kind_of_content(content) AS CASE
    WHEN content IN ('number', 'comma number') THEN 'number'
    WHEN content IN ('time', 'clock') THEN 'time'
    ELSE 'text'
END;
COMMENT ON MACRO _logic.kind_of_content IS 'kind of a column of text: of what it spells';

CREATE MACRO _logic.is_index_name(name) AS regexp_full_match(name, '__index_level_\d+__|Unnamed: \d+');
COMMENT ON MACRO _logic.is_index_name IS 'whether a column is called as pandas calls the index of a table that it writes or reads';

CREATE MACRO _logic.least_keys() AS 100;
COMMENT ON MACRO _logic.least_keys IS 'rows from which on it can be told that a column is a key';

CREATE MACRO _logic.may_be_key(text) AS regexp_full_match(text, '[A-Za-z0-9_.:{}-]*[0-9][A-Za-z0-9_.:{}-]*');
COMMENT ON MACRO _logic.may_be_key IS 'whether a text may be a key, as a number with letters or a UUID: one token with a digit, of ASCII';
