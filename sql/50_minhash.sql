-- features -> MinHash signatures and bands (section 3.4, offline stage).
-- minhash_agg(h), the list of minima, is generated from the seed when the hub is made;
-- a connection with the Python UDFs computes it in numpy, bit for bit the same.

CREATE MACRO fmix32_step(h, shift, factor) AS xor(h, h >> shift) * factor & 4294967295::UBIGINT;
COMMENT ON MACRO fmix32_step IS 'one multiplication of the MurmurHash3 finaliser, on a UBIGINT below 2^32';

CREATE MACRO replica_scale(counts, total) AS
    greatest(hub_replicas() / sqrt(total), 0.500001 / sqrt(list_max(counts)));
COMMENT ON MACRO replica_scale IS 'replicas of a bin that occurs once: replicas / sqrt(total), and more where even the most frequent bin would get none';

CREATE MACRO replicas_of(counts, scale) AS list_transform(counts, lambda n: round(scale * sqrt(n))::UINTEGER);
COMMENT ON MACRO replicas_of IS 'how often each bin is replicated, in proportion to the square root of its frequency';

CREATE MACRO minhash_elements(features) AS TABLE
    WITH scaled AS (
        SELECT feature_id, bins, counts, replica_scale(counts, "values") AS scale FROM query_table(features)
    ),
    replicated AS (
        SELECT feature_id, unnest(bins) AS bin, unnest(replicas_of(counts, scale)) AS replicas FROM scaled
    ),
    replica AS (
        SELECT feature_id, bin, unnest(range(replicas)) AS replica FROM replicated
    ),
    hashed AS (
        SELECT feature_id, bin, replica, sha1_hash32(bin || ':' || replica)::UBIGINT AS hash FROM replica
    ),
    mixed_once AS (
        SELECT feature_id, bin, replica, hash, fmix32_step(xor(hash, 0::UBIGINT), 16, 2246822507::UBIGINT) AS mixed FROM hashed
    ),
    mixed_twice AS (
        SELECT feature_id, bin, replica, hash, fmix32_step(mixed, 13, 3266489909::UBIGINT) AS mixed FROM mixed_once
    )
    SELECT feature_id, bin, replica, hash, xor(mixed, mixed >> 16) AS mixed FROM mixed_twice;
COMMENT ON MACRO TABLE minhash_elements IS 'an element of a feature: SHA-1 hash of "bin:replica", and the same after the MurmurHash3 finaliser';

CREATE MACRO minhash_signatures(features) AS TABLE
    SELECT feature_id, count(*)::UINTEGER AS elements, minhash_agg(mixed)::UINTEGER[] AS minhash
    FROM minhash_elements(features)
    GROUP BY feature_id;
COMMENT ON MACRO TABLE minhash_signatures IS 'a feature, its number of MinHash elements and their signature, minhash_bands * minhash_rows values';

CREATE MACRO band_signature(hashes) AS
    list_reduce(hashes::UBIGINT[], lambda folded, h: (folded & 4294967295) * 2654435761 + h);
COMMENT ON MACRO band_signature IS 'the values of a band folded into one number';

CREATE MACRO minhash_bands(features) AS TABLE
    WITH banded AS (
        SELECT * EXCLUDE (minhash), CASE hub_minhash_rows()
            WHEN 1 THEN minhash::UBIGINT[]
            ELSE list_transform(
                range(hub_minhash_bands()),
                lambda b: band_signature(minhash[b * hub_minhash_rows() + 1 : (b + 1) * hub_minhash_rows()])
            )
        END AS signatures
        FROM query_table(features)
    )
    SELECT * EXCLUDE (signatures), unnest(range(hub_minhash_bands()))::USMALLINT AS band, unnest(signatures) AS signature
    FROM banded;
COMMENT ON MACRO TABLE minhash_bands IS 'a band of a feature''s MinHash signature, after the feature''s other columns';

CREATE VIEW feature_bands AS
SELECT band, signature, dataset_id, feature_id
FROM minhash_bands('features');
COMMENT ON VIEW feature_bands IS 'a MinHash band of a registered feature: the hash tables of section 3.4 as one relation';
