-- cells -> elements. A row is a bin of a feature in a partition, and how often it occurs there.
-- All datasets of a hub share one set of bins (section 2.1): those of numbers, of times, and
-- those that tokens of text are hashed to.

CREATE MACRO number_bin(x) AS
    CASE WHEN isfinite(x) THEN finite_bin(x) WHEN x IS NOT NULL THEN special_bin(x, hub_number_bins()) END::USMALLINT;
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

CREATE MACRO swapped_bytes(h) AS ((h & 255) << 24) | ((h & 65280) << 8) | ((h >> 8) & 65280) | (h >> 24);
COMMENT ON MACRO swapped_bytes IS 'the four bytes of a UBIGINT below 2^32 the other way round';

CREATE MACRO sha1_hash32(x) AS swapped_bytes(('0x' || left(sha1(x), 8))::UBIGINT)::UINTEGER;
COMMENT ON MACRO sha1_hash32 IS 'first 32 bits of SHA-1, as datasketch.hashfunc.sha1_hash32';

-- Spaces of Unicode are U+20, U+A0 and some from U+1680 to U+3000. To trim a text takes longer than to split it.
CREATE MACRO starts_with_a_sign(text) AS
    text >= '!' AND text < chr(160) OR text >= chr(161) AND text < chr(5760) OR text >= chr(12289);
COMMENT ON MACRO starts_with_a_sign IS 'whether the first character of a text is surely no space';

CREATE MACRO words(text) AS CASE
    WHEN starts_with_a_sign(text) THEN string_split(lower(text), ' ')
    WHEN trim(text) = '' THEN [' ']
    ELSE string_split(lower(text), ' ')
END;
COMMENT ON MACRO words IS 'lower-cased pieces of a text between spaces, with nothing between two spaces; a space for a text without any';

CREATE MACRO tokens(word) AS CASE
    WHEN regexp_matches(word, '[\p{L}\p{N}]') THEN regexp_extract_all(word, '[\p{L}\p{M}\p{N}]+')
    ELSE [trim(word)]
END;
COMMENT ON MACRO tokens IS 'the runs of letters and digits of a word; a word without any is one token';

CREATE MACRO text_bin(token) AS
    (first_bin('text') + sha1_hash32(hub_salt() || token) % hub_text_bins())::USMALLINT;
COMMENT ON MACRO text_bin IS 'bin of a token of text';

-- One column to group millions of cells by is faster than three.
CREATE MACRO element_key(partition_id, feature_id, bin) AS
    (partition_id::UBIGINT << 32) | (feature_id::UBIGINT << 16) | coalesce(bin, missing_bin());
COMMENT ON MACRO element_key IS 'partition, feature and bin as one number';

CREATE MACRO text_elements(cells) AS TABLE
    WITH text_count AS MATERIALIZED (
        SELECT partition_id, feature_id, "value" AS text, count(*) AS occurrences
        FROM query_table(cells)
        GROUP BY ALL
    ),
    word_count AS (
        SELECT partition_id, feature_id, word, occurrences
        FROM (SELECT partition_id, feature_id, unnest(words(text)) AS word, occurrences FROM text_count)
        WHERE word <> ''
    ),
    vocabulary AS MATERIALIZED (
        SELECT word, text_bin(token) AS bin
        FROM (SELECT word, unnest(tokens(word)) AS token FROM (SELECT DISTINCT word FROM word_count))
    )
    SELECT element_key(partition_id, feature_id, bin) AS element, sum(occurrences) AS occurrences
    FROM word_count
    JOIN vocabulary USING (word)
    GROUP BY element
    UNION ALL
    SELECT element_key(partition_id, feature_id, NULL), occurrences FROM text_count WHERE text IS NULL;
COMMENT ON MACRO TABLE text_elements IS 'a bin of tokens in cells of text, as one number, and its occurrences';

CREATE MACRO cell_elements(cells) AS TABLE
    SELECT element_key(partition_id, feature_id, number_bin("value")) AS element, count(*) AS occurrences, sum("value") AS total
    FROM query_table(cells)
    GROUP BY element;
COMMENT ON MACRO TABLE cell_elements IS 'a bin of cells that are numbers, as one number, its occurrences and the sum of its values';

CREATE MACRO number_elements(partitioned, columns) AS TABLE
    WITH number_cell AS (FROM number_cells(partitioned, columns))
    FROM cell_elements('number_cell');
COMMENT ON MACRO TABLE number_elements IS 'a bin of a column of numbers in a partition, as one number, its occurrences and total; the totals of a feature add up to the sum of its finite values';

CREATE MACRO elements(numbered, columns, forms := NULL) AS TABLE
    WITH permutation AS MATERIALIZED (FROM row_permutation(numbered)),
    -- Each form computes it from the rows as they are: to keep it would be a copy of the dataset.
    partitioned AS NOT MATERIALIZED (FROM partitioned_rows(numbered, 'permutation')),
    text_cell AS (FROM text_cells('partitioned', columns)),
    list_cell AS (FROM list_cells('partitioned', columns)),
    number_element AS (
        SELECT 'number' AS form, element, occurrences, total FROM number_elements('partitioned', columns)
    ),
    time_element AS (
        SELECT
            'time' AS form, element_key(partition_id, feature_id, first_bin('time') + time_bin("value")) AS element,
            count(*) AS occurrences, sum("value") AS total
        FROM time_cells('partitioned', columns)
        GROUP BY element
    ),
    list_element AS (
        SELECT 'list' AS form, element, occurrences, total FROM cell_elements('list_cell')
    ),
    text_element AS (
        SELECT 'text' AS form, element, occurrences, NULL::DOUBLE AS total FROM text_elements('text_cell')
    ),
    no_element AS (
        SELECT NULL::VARCHAR AS form, NULL::UBIGINT AS element, NULL::UBIGINT AS occurrences, NULL::DOUBLE AS total WHERE false
    ),
    -- Planning takes longer than counting 50,000 rows: what is not in forms is not planned.
    element AS (
        FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'number') THEN 'number_element' ELSE 'no_element' END)
        UNION ALL
        FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'time') THEN 'time_element' ELSE 'no_element' END)
        UNION ALL
        FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'list') THEN 'list_element' ELSE 'no_element' END)
        UNION ALL
        FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'text') THEN 'text_element' ELSE 'no_element' END)
    )
    SELECT
        (element >> 32)::UINTEGER AS partition_id,
        c.feature_id, feature, kind,
        nullif((element & 65535)::USMALLINT, missing_bin()) AS bin,
        occurrences::UBIGINT AS occurrences,
        CASE WHEN bin < first_bin(kind) + CASE kind WHEN 'time' THEN time_bins() ELSE hub_number_bins() END THEN total END AS total
    FROM element AS e
    JOIN query_table(columns) AS c ON c.form = e.form AND c.feature_id = (element >> 16) & 65535;
COMMENT ON MACRO TABLE elements IS 'a bin of a feature in a partition and its occurrences; bin NULL counts the NULLs; forms: of the columns, others are not looked for; NULL: all';
