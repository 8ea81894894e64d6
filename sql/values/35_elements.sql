-- Bins. A bin of numbers or times is a dyadic interval, named by its lower end: relative far from zero, absolute near it.
-- Resolution: k, the smallest quantum is 2^k; b, so many bits of a number count. The bins of a coarser resolution are unions
-- of those of a finer. Tokens of text are hashed (section 2.1).

CREATE MACRO _logic.octave(x) AS
    floor(log2(x))::INTEGER
    -- A logarithm that rounds puts 7.999999999999999 into the next octave, and not on every client.
    + (x >= 2.0 ** least(1023, floor(log2(x)) + 1) AND floor(log2(x)) < 1023)::INTEGER - (x < 2.0 ** floor(log2(x)))::INTEGER;
COMMENT ON MACRO _logic.octave IS 'floor(log2 x) of a finite number above 0, exactly';

CREATE MACRO _logic.far_quantum(x, k, b) AS 2.0 ** greatest(-1074, k, _logic.octave(abs(x)) - b);
COMMENT ON MACRO _logic.far_quantum IS 'width of the bins at resolution k, b at a finite number far from 0';

CREATE MACRO _logic.number_bin(x, k, b) AS CASE
    -- The product of what is next to nothing is 0.
    WHEN k > 0 AND x < 0 AND x * 2.0 ** (-k) = 0 THEN -(2.0 ** k)
    WHEN abs(x) < 2.0 ** least(1023, k + b + 1) THEN floor(x * 2.0 ** (-k)) * 2.0 ** k + 0.0
    WHEN isinf(x) THEN x
    WHEN NOT isnan(x) THEN floor(x / _logic.far_quantum(x, k, b)) * _logic.far_quantum(x, k, b)
END;
COMMENT ON MACRO _logic.number_bin IS 'bin of a number, its lower end, at resolution k, b; NULL for NaN, which is a missing value; an infinity is a bin of its own';

CREATE MACRO _logic.bin_width(bin, k, b) AS CASE
    WHEN isinf(bin) THEN 0
    WHEN abs(bin) < 2.0 ** least(1023, k + b + 1) OR bin = -(2.0 ** least(1023, k + b + 1)) THEN 2.0 ** k
    -- The lower end of the last bin of a negative octave is a power of two.
    WHEN bin < 0 AND abs(bin) = 2.0 ** _logic.octave(abs(bin)) THEN _logic.far_quantum(bin, k, b) / 2
    ELSE _logic.far_quantum(bin, k, b)
END;
COMMENT ON MACRO _logic.bin_width IS 'width of a bin that number_bin gives';

CREATE MACRO _logic.missing_bin() AS 'nan'::DOUBLE;
COMMENT ON MACRO _logic.missing_bin IS 'the bin that occurs once where a partition has no value of a feature at all';

CREATE MACRO _logic.octave_between(low, high) AS
    greatest(-1000, least(1000, CASE WHEN isinf(high - low) THEN 1020 ELSE _logic.octave(high - low) - 3 END));
COMMENT ON MACRO _logic.octave_between IS 'the octave of an eighth of a difference above 0';

CREATE MACRO _logic.resolution(sorted) AS CASE
    -- One value, or none that the sample has: as fine as numbers that are meant to be equal are.
    WHEN coalesce(len(sorted), 0) = 0 THEN {k: -30, b: 20}
    ELSE list_transform(
        [{
            low: sorted[1 + floor(0.05 * (len(sorted) - 1))::BIGINT], lower: sorted[1 + floor(0.25 * (len(sorted) - 1))::BIGINT],
            upper: sorted[1 + floor(0.75 * (len(sorted) - 1))::BIGINT], high: sorted[1 + floor(0.95 * (len(sorted) - 1))::BIGINT],
            least: sorted[1], most: sorted[-1]
        }],
        lambda q: list_transform(
            [CASE
                WHEN q.upper - q.lower > 0 THEN _logic.octave_between(q.lower, q.upper)
                WHEN q.high - q.low > 0 THEN _logic.octave_between(q.low, q.high)
                WHEN q.most - q.least > 0 THEN _logic.octave_between(q.least, q.most)
                WHEN q.upper = 0 THEN -30
                ELSE greatest(-1000, least(1000, _logic.octave(abs(q.upper)) - 20))
            END],
            lambda k: {
                k: k,
                b: greatest(3, least(52, CASE
                    WHEN q.most = 0 AND q.least = 0 THEN 20
                    WHEN greatest(abs(q.low), abs(q.high)) = 0 THEN 3
                    ELSE _logic.octave(greatest(abs(q.low), abs(q.high))) - k
                END))
            }
        )[1]
    )[1]
END;
COMMENT ON MACRO _logic.resolution IS 'k and b for a feature, from a sorted sample of its finite numbers: 2^k an eighth of the interquartile range, b what the magnitude of the bulk needs; fine for a constant, so that another is told from it';

CREATE MACRO _logic.swapped_bytes(h) AS ((h & 255) << 24) | ((h & 65280) << 8) | ((h >> 8) & 65280) | (h >> 24);
COMMENT ON MACRO _logic.swapped_bytes IS 'the four bytes of a UBIGINT below 2^32 the other way round';

CREATE MACRO _logic.sha1_hash32(x) AS _logic.swapped_bytes(('0x' || left(sha1(x), 8))::UBIGINT)::UINTEGER;
COMMENT ON MACRO _logic.sha1_hash32 IS 'first 32 bits of SHA-1, as datasketch.hashfunc.sha1_hash32';

-- Spaces of Unicode are U+20, U+A0 and some from U+1680 to U+3000. To trim a text takes longer than to split it.
CREATE MACRO _logic.starts_with_a_sign(text) AS
    text >= '!' AND text < chr(160) OR text >= chr(161) AND text < chr(5760) OR text >= chr(12289);
COMMENT ON MACRO _logic.starts_with_a_sign IS 'whether the first character of a text is surely no space';

CREATE MACRO _logic.words(text) AS CASE
    WHEN _logic.starts_with_a_sign(text) THEN string_split(lower(text), ' ')
    WHEN trim(text) = '' THEN [' ']
    ELSE string_split(lower(text), ' ')
END;
COMMENT ON MACRO _logic.words IS 'lower-cased pieces of a text between spaces, with nothing between two spaces; a space for a text without any';

CREATE MACRO _logic.composed(word) AS CASE
    WHEN strlen(word) = length(word) THEN word
    -- Letters, digits and signs of full width are U+FF01 to U+FF5E.
    WHEN regexp_matches(word, '[\x{FF01}-\x{FF5E}]') THEN nfc_normalize(list_reduce(
        list_transform(string_split(word, ''), lambda c: CASE WHEN c BETWEEN chr(65281) AND chr(65374)
            THEN lower(chr(unicode(c) - 65248)) ELSE c END),
        lambda joined, c: joined || c
    ))
    ELSE nfc_normalize(word)
END;
COMMENT ON MACRO _logic.composed IS 'a word in the form of Unicode that accents are part of their letters in (NFC), its letters of normal width';

-- Han, Kana and the scripts of South-East Asia; the vowels and tones of these are marks; U+30FC and U+3005 are of no script.
CREATE MACRO _logic.spaced(token) AS CASE
    WHEN strlen(token) = length(token) THEN token
    ELSE regexp_replace(
        token, '([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Javanese}\p{Balinese}\x{30FC}\x{3005}]+)', ' \1 ', 'g'
    )
END;
COMMENT ON MACRO _logic.spaced IS 'a token, its runs of letters of scripts that are written without spaces set apart by spaces';

CREATE MACRO _logic.pairs(run) AS CASE
    WHEN length(run) > 1 AND _logic.spaced(run) <> run THEN list_transform(range(1, length(run)), lambda i: substring(run, i, 2))
    ELSE [run]
END;
COMMENT ON MACRO _logic.pairs IS 'overlapping pairs of the characters of a run of a script without spaces; any other run itself';

CREATE MACRO _logic.runs(token) AS CASE
    WHEN _logic.spaced(token) = token THEN [token]
    ELSE flatten(list_transform(list_filter(string_split(_logic.spaced(token), ' '), lambda run: run <> ''),
        lambda run: _logic.pairs(run)))
END;
COMMENT ON MACRO _logic.runs IS 'what a token counts as: itself, or pairs of characters where it is of a script that is written without spaces';

CREATE MACRO _logic.tokens(word) AS CASE
    WHEN regexp_matches(word, '[\p{L}\p{N}]') THEN flatten(list_transform(
        regexp_extract_all(_logic.composed(word), '[\p{L}\p{M}\p{N}]+'), lambda token: _logic.runs(token)
    ))
    ELSE [trim(word)]
END;
COMMENT ON MACRO _logic.tokens IS 'the runs of letters and digits of a word (pairs of characters, in scripts without spaces); a word without any is one token';

-- All but the variable is constant: a query is planned with the salt, and without it fails at the first token.
CREATE MACRO _logic.salt() AS CASE
    WHEN _format.salt_fingerprint() = '' THEN ''
    WHEN sha256('modelhub salt ' || getvariable('salt')::VARCHAR) = _format.salt_fingerprint() THEN getvariable('salt')::VARCHAR
    ELSE error(
        'SaltError: the hub has a salt, which is not in its file and which texts are hashed with; '
        || CASE WHEN getvariable('salt') IS NULL THEN 'give it' ELSE 'the one given is another: give that of this hub' END
        || ' (salt_file, --salt-file, MODELHUB_SALT_FILE; in SQL: SET VARIABLE salt = ''...''), or exclude what is text'
    )
END;
COMMENT ON MACRO _logic.salt IS 'the salt of the hub, from the variable salt of the session; an error where it is not that one';

CREATE MACRO _logic.text_bin(token) AS
    (_logic.sha1_hash32(_logic.salt() || token) % _format.text_bins())::DOUBLE;
COMMENT ON MACRO _logic.text_bin IS 'bin of a token of text';

-- One column to group millions of cells by is faster than two.
CREATE MACRO _logic.place(partition_id, feature_id) AS (partition_id::UBIGINT << 16) | feature_id::UBIGINT;
COMMENT ON MACRO _logic.place IS 'partition (or row) and feature as one number';

CREATE MACRO _logic.numbered_row(dataset_number, row_number) AS (dataset_number::BIGINT << 40) + row_number;
COMMENT ON MACRO _logic.numbered_row IS 'dataset and row of many datasets that are sketched at once, as one number';

CREATE MACRO _logic.dataset_at(numbered_row) AS (numbered_row >> 40)::USMALLINT;
COMMENT ON MACRO _logic.dataset_at IS 'the dataset of such a number';

CREATE MACRO _logic.row_at(numbered_row) AS numbered_row & 1099511627775;
COMMENT ON MACRO _logic.row_at IS 'the row of such a number';

CREATE MACRO _logic.cell_place(place, number) AS place + number::UBIGINT;
COMMENT ON MACRO _logic.cell_place IS 'the place of the cell in column number (from 1) of a row at a place';

CREATE MACRO _logic.partition_at(place) AS (place >> 16)::UINTEGER;
COMMENT ON MACRO _logic.partition_at IS 'the partition of a place';

CREATE MACRO _logic.feature_at(place) AS (place & 65535)::USMALLINT;
COMMENT ON MACRO _logic.feature_at IS 'the feature of a place';

CREATE MACRO _logic.is_exact() AS _format.min_count() <= 1 AND _format.round_counts() <= 1;
COMMENT ON MACRO _logic.is_exact IS 'whether a hub keeps counts as they are';

CREATE MACRO _logic.safe_count() AS
    greatest(_format.min_count(), CASE WHEN _format.round_counts() > 1 THEN 2 * _format.round_counts() ELSE 1 END);
COMMENT ON MACRO _logic.safe_count IS 'values of a bin that is kept, and hardly changed when it is rounded';

CREATE MACRO _logic.rounded_count(n) AS (n + _format.round_counts() // 2) // _format.round_counts() * _format.round_counts();
COMMENT ON MACRO _logic.rounded_count IS 'a count as a multiple of round_counts, the nearest';

CREATE MACRO _logic.is_kept_count(n) AS
    n % _format.round_counts() = 0 AND n + _format.round_counts() // 2 >= _format.min_count();
COMMENT ON MACRO _logic.is_kept_count IS 'whether a count above 0 is one that the hub keeps';
