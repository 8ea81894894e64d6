-- cells -> elements. A row is a bin of a feature in a partition, and how often it occurs there.
-- All datasets of a hub share one set of bins (section 2.1): those of numbers, of times, and
-- those that tokens of text are hashed to.

CREATE MACRO special_bin(x, bins) AS CASE WHEN isnan(x) THEN bins WHEN x < 0 THEN bins + 1 ELSE bins + 2 END;
COMMENT ON MACRO special_bin IS 'bin of NaN, -inf or +inf: the three after the last of the finite bins';

CREATE MACRO asinh_bin(x, low, high, bins) AS
    greatest(0, least(bins - 1, floor(asinh(x / low) / asinh(high / low) * (bins / 2.0) + bins / 2.0)));
COMMENT ON MACRO asinh_bin IS 'bin of a finite number when bins are equal steps of asinh(x / low): near 0 linear, then by relative size, up to +-high';

CREATE MACRO fixed_bin(x, low, high, bins) AS
    greatest(0, least(bins - 1, floor((x - low) / (high - low) * bins)));
COMMENT ON MACRO fixed_bin IS 'bin of a finite number when bins are equal steps of [low, high]';

CREATE MACRO number_bin(x) AS CASE
    WHEN isfinite(x) THEN CASE hub_number_binning()
        WHEN 'fixed' THEN fixed_bin(x, hub_number_low(), hub_number_high(), hub_number_bins())
        WHEN 'learnt' THEN learnt_bin(x)
        ELSE asinh_bin(x, hub_number_low(), hub_number_high(), hub_number_bins())
    END
    WHEN x IS NOT NULL THEN special_bin(x, hub_number_bins())
END::USMALLINT;
COMMENT ON MACRO number_bin IS 'bin of a number, from 0';

CREATE MACRO time_bins() AS 256;
COMMENT ON MACRO time_bins IS 'bins for finite times';

CREATE MACRO time_bin(x) AS CASE
    WHEN isfinite(x) THEN asinh_bin(x, 10, 10000, time_bins())
    WHEN x IS NOT NULL THEN special_bin(x, time_bins())
END::USMALLINT;
COMMENT ON MACRO time_bin IS 'bin of a time, from 0: about half a year (or hour) wide near 2010 (or midnight), wider farther away';

CREATE MACRO first_bin(kind) AS CASE kind
    WHEN 'number' THEN 0
    WHEN 'time' THEN hub_number_bins() + 3
    WHEN 'text' THEN hub_number_bins() + 3 + time_bins() + 3
END::USMALLINT;
COMMENT ON MACRO first_bin IS 'the first bin of a kind of feature';

CREATE MACRO missing_bin() AS 65535::USMALLINT;
COMMENT ON MACRO missing_bin IS 'the bin that occurs once where a partition has no value of a feature at all';

CREATE MACRO sha1_hash32(x) AS
    ('0x' || substr(sha1(x), 7, 2) || substr(sha1(x), 5, 2) || substr(sha1(x), 3, 2) || substr(sha1(x), 1, 2))::UINTEGER;
COMMENT ON MACRO sha1_hash32 IS 'first 32 bits of SHA-1, as datasketch.hashfunc.sha1_hash32';

CREATE MACRO tokens(text) AS CASE
    WHEN regexp_matches(text, '[\p{L}\p{N}]') THEN regexp_extract_all(lower(text), '[\p{L}\p{M}\p{N}]+')
    ELSE [lower(text)]
END;
COMMENT ON MACRO tokens IS 'lower-cased words and numbers of a text; a text without any is one token';

CREATE MACRO text_bin(token) AS
    (first_bin('text') + sha1_hash32(hub_salt() || token) % hub_text_bins())::USMALLINT;
COMMENT ON MACRO text_bin IS 'bin of a token of text';

CREATE MACRO elements(cells, columns) AS TABLE
    WITH scalar_value AS MATERIALIZED (
        SELECT
            partition_id,
            feature_id,
            coalesce(number_bin(cell.num), time_bin(cell.tim)) AS bin,
            cell.txt AS txt,
            count(*) FILTER (cell.nums IS NULL) AS occurrences,
            sum(coalesce(cell.num, cell.tim)) FILTER (isfinite(coalesce(cell.num, cell.tim))) AS total
        FROM query_table(cells)
        GROUP BY ALL
    ),
    list_value AS (
        SELECT partition_id, feature_id, unnest(cell.nums) AS num FROM query_table(cells) WHERE cell.nums IS NOT NULL
    ),
    list_element AS (
        SELECT partition_id, feature_id, number_bin(num) AS bin, count(*) AS occurrences, sum(num) FILTER (isfinite(num)) AS total
        FROM list_value
        GROUP BY ALL
    ),
    token_value AS MATERIALIZED (
        SELECT partition_id, feature_id, token, sum(occurrences) AS occurrences
        FROM (
            SELECT partition_id, feature_id, unnest(tokens(txt)) AS token, occurrences
            FROM scalar_value
            WHERE txt IS NOT NULL
        )
        GROUP BY ALL
    ),
    vocabulary AS (
        SELECT token, text_bin(token) AS bin FROM (SELECT DISTINCT token FROM token_value)
    ),
    text_element AS (
        SELECT partition_id, feature_id, bin, sum(occurrences) AS occurrences
        FROM token_value
        JOIN vocabulary USING (token)
        GROUP BY ALL
    ),
    element AS (
        SELECT partition_id, feature_id, bin, occurrences, total FROM scalar_value WHERE txt IS NULL
        UNION ALL
        SELECT partition_id, feature_id, bin, occurrences, total FROM list_element
        UNION ALL
        SELECT partition_id, feature_id, bin, occurrences, NULL FROM text_element
    )
    SELECT
        partition_id,
        feature_id,
        feature,
        kind,
        (CASE kind WHEN 'text' THEN 0 ELSE first_bin(kind) END + bin)::USMALLINT AS bin,
        sum(occurrences)::UBIGINT AS occurrences,
        sum(total) AS total
    FROM element
    JOIN query_table(columns) USING (feature_id)
    WHERE kind IS NOT NULL
    GROUP BY ALL;
COMMENT ON MACRO TABLE elements IS 'a bin of a feature in a partition and its occurrences; bin NULL counts the NULLs';
