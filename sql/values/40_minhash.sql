-- MinHash (section 3.4): how often a bin is replicated, and what its hashes become.

-- a connection with the Python UDFs computes it in numpy, bit for bit the same.
CREATE MACRO _logic.fmix32_step(h, shift, factor) AS xor(h, h >> shift) * factor & 4294967295::UBIGINT;
COMMENT ON MACRO _logic.fmix32_step IS 'one multiplication of the MurmurHash3 finaliser, on a UBIGINT below 2^32';

-- Lower ends of bins of a coarser resolution are lower ends of the finer, so the same number lies in the same cell whatever the
-- resolution. Times have no zero that means something: their cells are 2^45 microseconds (1.1 years) wide, and a bin lies in
-- as many as it covers. Both were chosen by examples/measurements/jaccard_roc.py.
CREATE MACRO _logic.number_cell(bin) AS CASE
    WHEN bin = 0 THEN 0
    WHEN isinf(bin) THEN CASE WHEN bin > 0 THEN 9999 ELSE -9999 END
    WHEN bin > 0 THEN 4400 + floor(bin / 2.0 ** (greatest(-1074, _logic.octave(bin)) - 2)) - 4 + 4 * _logic.octave(bin)
    ELSE -(4400 + ceil(-bin / 2.0 ** (_logic.octave(-bin) - 2)) - 4 + 4 * _logic.octave(-bin))
END::BIGINT;
COMMENT ON MACRO _logic.number_cell IS 'cell of the grid of numbers that a bin begins in: four to an octave, on either side of 0';

CREATE MACRO _logic.time_cell(x) AS CASE WHEN isinf(x) THEN CASE WHEN x > 0 THEN 1000000 ELSE -1000000 END
    ELSE floor(x / 35184372088832) END::BIGINT;
COMMENT ON MACRO _logic.time_cell IS 'cell of the grid of times: 2^45 microseconds each';

CREATE MACRO _logic.grid_cells(kind, bins, counts, k, b) AS CASE kind
    WHEN 'number' THEN list_transform(bins, lambda bin, i: {cell: _logic.number_cell(bin), n: counts[i]::DOUBLE})
    WHEN 'time' THEN flatten(list_transform(bins, lambda bin, i: list_transform(
        range(8), lambda part: {cell: _logic.time_cell(bin + (part + 0.5) * _logic.bin_width(bin, k, b) / 8), n: counts[i] / 8}
    )))
    ELSE list_transform(bins, lambda bin, i: {cell: bin::BIGINT, n: counts[i]::DOUBLE})
END;
COMMENT ON MACRO _logic.grid_cells IS 'cells of the grid of a kind that the bins of a feature lie in, and their occurrences; a cell may come more than once';

CREATE MACRO _logic.effective_bins(counts) AS
    list_sum(list_transform(counts, lambda n: sqrt(n::DOUBLE))) ** 2 / list_sum(counts)::DOUBLE;
COMMENT ON MACRO _logic.effective_bins IS 'how many even bins say as much as these: (sum sqrt n)^2 / sum n';

CREATE MACRO _logic.replica_scale(greatest_count, total) AS
    greatest(_format.replicas() / sqrt(total), 0.500001 / sqrt(greatest_count));
COMMENT ON MACRO _logic.replica_scale IS 'replicas of a cell that occurs once: replicas / sqrt(total), and more where even the most frequent one would get none';

CREATE MACRO _logic.replicas_of(n, scale) AS round(scale * sqrt(n))::UINTEGER;
COMMENT ON MACRO _logic.replicas_of IS 'how often a cell is replicated, in proportion to the square root of its frequency';

CREATE MACRO _logic.band_signature(hashes) AS
    list_reduce(hashes::UBIGINT[], lambda folded, h: (folded & 4294967295) * 2654435761 + h);
COMMENT ON MACRO _logic.band_signature IS 'the values of a band folded into one number';

CREATE MACRO _logic.band_signatures(minhash) AS CASE _format.minhash_rows()
    WHEN 1 THEN minhash::UBIGINT[]
    ELSE list_transform(
        range(_format.minhash_bands()),
        lambda b: _logic.band_signature(minhash[b * _format.minhash_rows() + 1 : (b + 1) * _format.minhash_rows()])
    )
END;
COMMENT ON MACRO _logic.band_signatures IS 'a MinHash signature, band by band: a number for each of minhash_bands';

-- Chosen by examples/measurements/jaccard_roc.py.
CREATE MACRO _logic.is_telling(kind, effective_bins) AS
    effective_bins >= CASE kind WHEN 'number' THEN 12 WHEN 'time' THEN 4 ELSE 2.05 END;
COMMENT ON MACRO _logic.is_telling IS 'whether a feature says enough to be known by its values: yes and no, or a few even numbers, do not';

CREATE MACRO _logic.least_jaccard(kind, features) AS CASE
    WHEN features = 'values' THEN 0.15
    WHEN kind = 'number' THEN 0.48
    WHEN kind = 'time' THEN 0.6
    ELSE 0.3
END;
COMMENT ON MACRO _logic.least_jaccard IS 't2 (Def. 3) where none is given: the bar that features of different names must pass';

CREATE MACRO _logic.is_any_function_a_band(features, min_jaccard) AS
    coalesce(min_jaccard, _logic.least_jaccard('text', features)) < _logic.least_jaccard('text', 'names');
COMMENT ON MACRO _logic.is_any_function_a_band IS 'whether features are looked for that are less alike than the bands of the hub were made to find: then each function is a band';

-- 1 - (1 - J^K)^L of section 3.4. A pair of numbers at its bar, 0.48, is missed by 64 bands of 2 once in twenty millions.
CREATE MACRO _logic.bands_may_miss(jaccard, functions, bands) AS (1 - greatest(jaccard, 0) ** functions) ** bands > 1e-6;
COMMENT ON MACRO _logic.bands_may_miss IS 'whether two features of a Jaccard similarity may well share no MinHash band of so many functions';

CREATE MACRO _logic.most_js(kind) AS CASE kind WHEN 'number' THEN 0.075 WHEN 'time' THEN 0.15 ELSE 0.35 END;
COMMENT ON MACRO _logic.most_js IS 'JS divergence below which features of different names are taken for the same';

CREATE MACRO _logic.own_share() AS 0.8;
COMMENT ON MACRO _logic.own_share IS 'a number is the match of another only where its JS divergence is below this share of that of the next';

CREATE MACRO _logic.rival_js(kind) AS CASE
    WHEN kind = 'number' THEN _logic.most_js(kind) / _logic.own_share() + 1e-9
    ELSE _logic.most_js(kind)
END;
COMMENT ON MACRO _logic.rival_js IS 'JS divergence below which a feature is a match, or is so like one that it makes another none';
