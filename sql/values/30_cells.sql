-- A cell as a number, a time, a list of numbers or a text.

CREATE MACRO _logic.time_value(x) AS CASE
    WHEN typeof(x) = 'INTERVAL' THEN epoch_us(TRY_CAST(x AS INTERVAL))
    WHEN starts_with(typeof(x), 'TIME') AND NOT starts_with(typeof(x), 'TIMESTAMP') THEN epoch_us(TRY_CAST(x AS TIME))
    ELSE coalesce(
        -- NULL for an infinite time. An instant is one number, whatever the time zone of the session.
        CASE typeof(x)
            WHEN 'TIMESTAMP WITH TIME ZONE' THEN epoch_us(TRY_CAST(x AS TIMESTAMPTZ))
            ELSE epoch_us(TRY_CAST(x AS TIMESTAMP))
        END::DOUBLE,
        -- A date may lie farther away than a timestamp can.
        CASE
            WHEN coalesce(TRY_CAST(x AS TIMESTAMP) > TIMESTAMP '2000-01-01', TRY_CAST(x AS DATE) > DATE '2000-01-01')
                THEN 'inf'::DOUBLE
            WHEN x IS NOT NULL THEN '-inf'::DOUBLE
        END
    )
END::DOUBLE;
COMMENT ON MACRO _logic.time_value IS 'a date or timestamp in microseconds since 1970, a time of day or interval in microseconds';

CREATE MACRO _logic.number_of(x) AS CASE WHEN _logic.is_number_type(typeof(x)) THEN TRY_CAST(x AS DOUBLE) END;
COMMENT ON MACRO _logic.number_of IS 'a number; NULL for any other type';

CREATE MACRO _logic.time_of(x) AS CASE WHEN _logic.is_time_type(typeof(x)) THEN _logic.time_value(x) END;
COMMENT ON MACRO _logic.time_of IS 'a time as a number; NULL for any other type';

CREATE MACRO _logic.numbers_of(x) AS CASE
    WHEN NOT _logic.is_number_type(_logic.element_type(typeof(x))) THEN NULL
    WHEN typeof(x) LIKE '%][%][%][%]' THEN NULL
    WHEN typeof(x) LIKE '%][%][%]' THEN flatten(flatten(TRY_CAST(x AS DOUBLE[][][])))
    WHEN typeof(x) LIKE '%][%]' THEN flatten(TRY_CAST(x AS DOUBLE[][]))
    WHEN typeof(x) LIKE '%]' THEN TRY_CAST(x AS DOUBLE[])
END;
COMMENT ON MACRO _logic.numbers_of IS 'the numbers of a list nested up to three deep (an image, an embedding); NULL for any other type';

CREATE MACRO _logic.text_of(x) AS CASE
    WHEN _logic.is_number_type(_logic.element_type(typeof(x))) AND typeof(x) NOT LIKE '%][%][%][%]' THEN NULL
    WHEN _logic.is_time_type(typeof(x)) THEN NULL
    WHEN typeof(x) LIKE '%]' AND typeof(x) NOT LIKE '%][%]' THEN array_to_string(TRY_CAST(x AS VARCHAR[]), ' ')
    ELSE TRY_CAST(x AS VARCHAR)
END;
COMMENT ON MACRO _logic.text_of IS 'any other value as text; the elements of a list one after the other';
