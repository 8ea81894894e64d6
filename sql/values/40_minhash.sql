-- MinHash (section 3.4): how often a bin is replicated, and what its hashes become.

-- a connection with the Python UDFs computes it in numpy, bit for bit the same.
CREATE MACRO _logic.fmix32_step(h, shift, factor) AS xor(h, h >> shift) * factor & 4294967295::UBIGINT;
COMMENT ON MACRO _logic.fmix32_step IS 'one multiplication of the MurmurHash3 finaliser, on a UBIGINT below 2^32';

CREATE MACRO _logic.replica_scale(counts, total) AS
    greatest(_format.replicas() / sqrt(total), 0.500001 / sqrt(list_max(counts)));
COMMENT ON MACRO _logic.replica_scale IS 'replicas of a bin that occurs once: replicas / sqrt(total), and more where even the most frequent bin would get none';

CREATE MACRO _logic.replicas_of(counts, scale) AS list_transform(counts, lambda n: round(scale * sqrt(n))::UINTEGER);
COMMENT ON MACRO _logic.replicas_of IS 'how often each bin is replicated, in proportion to the square root of its frequency';

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
