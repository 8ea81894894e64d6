-- The bins of numbers, of times, and those that tokens of text are hashed to. All datasets of a hub share one set of bins (section 2.1).

CREATE MACRO _logic.number_bin(x) AS
    CASE WHEN isfinite(x) THEN _format.finite_bin(x) WHEN x IS NOT NULL THEN _format.special_bin(x, _format.number_bins()) END::USMALLINT;
COMMENT ON MACRO _logic.number_bin IS 'bin of a number, from 0';

CREATE MACRO _logic.time_bins() AS 256;
COMMENT ON MACRO _logic.time_bins IS 'bins for finite times';

CREATE MACRO _logic.time_bin(x) AS CASE
    WHEN isfinite(x) THEN _format.asinh_bin(x, 10, 10000, _logic.time_bins())
    WHEN x IS NOT NULL THEN _format.special_bin(x, _logic.time_bins())
END::USMALLINT;
COMMENT ON MACRO _logic.time_bin IS 'bin of a time, from 0: about half a year (or hour) wide near 2010 (or midnight), wider farther away';

CREATE MACRO _logic.first_bin(kind) AS CASE kind
    WHEN 'number' THEN 0
    WHEN 'time' THEN _format.number_bins() + 3
    WHEN 'text' THEN _format.number_bins() + 3 + _logic.time_bins() + 3
END::USMALLINT;
COMMENT ON MACRO _logic.first_bin IS 'the first bin of a kind of feature';

CREATE MACRO _logic.missing_bin() AS 65535::USMALLINT;
COMMENT ON MACRO _logic.missing_bin IS 'the bin that occurs once where a partition has no value of a feature at all';

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

CREATE MACRO _logic.tokens(word) AS CASE
    WHEN regexp_matches(word, '[\p{L}\p{N}]') THEN regexp_extract_all(word, '[\p{L}\p{M}\p{N}]+')
    ELSE [trim(word)]
END;
COMMENT ON MACRO _logic.tokens IS 'the runs of letters and digits of a word; a word without any is one token';

CREATE MACRO _logic.text_bin(token) AS
    (_logic.first_bin('text') + _logic.sha1_hash32(_format.salt() || token) % _format.text_bins())::USMALLINT;
COMMENT ON MACRO _logic.text_bin IS 'bin of a token of text';

-- One column to group millions of cells by is faster than three.
CREATE MACRO _logic.element_key(partition_id, feature_id, bin) AS
    (partition_id::UBIGINT << 32) | (feature_id::UBIGINT << 16) | coalesce(bin, _logic.missing_bin());
COMMENT ON MACRO _logic.element_key IS 'partition, feature and bin as one number';

CREATE MACRO _logic.collected_column(x) AS {
    bins: list(coalesce(_logic.number_bin(x), _format.number_bins() + 3)::USMALLINT), total: sum(CASE WHEN isfinite(x) THEN x END)
};
COMMENT ON MACRO _logic.collected_column IS 'the bins of a column of numbers, one after the other, and the sum of the finite ones: what numpy counts';
