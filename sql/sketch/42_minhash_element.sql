-- a MinHash element of a feature: the SHA-1 hash of "bin:replica", and the same after the MurmurHash3 finaliser
-- inlined: it is read once
WITH scaled AS (
    SELECT feature_id, bins, counts, _logic.replica_scale(counts, "values") AS scale FROM feature_histogram
),
replicated AS (
    SELECT feature_id, unnest(bins) AS bin, unnest(_logic.replicas_of(counts, scale)) AS replicas FROM scaled
),
replica AS (
    SELECT feature_id, bin, unnest(range(replicas)) AS replica FROM replicated
),
hashed AS (
    SELECT feature_id, bin, replica, _logic.sha1_hash32(bin || ':' || replica)::UBIGINT AS hash FROM replica
),
mixed_once AS (
    SELECT feature_id, bin, replica, hash, _logic.fmix32_step(xor(hash, 0::UBIGINT), 16, 2246822507::UBIGINT) AS mixed FROM hashed
),
mixed_twice AS (
    SELECT feature_id, bin, replica, hash, _logic.fmix32_step(mixed, 13, 3266489909::UBIGINT) AS mixed FROM mixed_once
)
SELECT feature_id, bin, replica, hash, xor(mixed, mixed >> 16) AS mixed FROM mixed_twice
