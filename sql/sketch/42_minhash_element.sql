-- a MinHash element of a feature: the SHA-1 hash of "cell:replica", and the same after the MurmurHash3 finaliser
-- inlined: it is read once
WITH scale AS (
    SELECT feature_id, _logic.replica_scale(max(n), sum(n)) AS scale FROM feature_cell GROUP BY feature_id
),
replica AS (
    SELECT feature_id, cell, unnest(range(_logic.replicas_of(n, scale))) AS replica FROM feature_cell
        JOIN scale USING (feature_id)
),
hashed AS (
    SELECT feature_id, cell, replica, _logic.sha1_hash32(cell || ':' || replica)::UBIGINT AS hash FROM replica
),
mixed_once AS (
    SELECT feature_id, cell, replica, hash, _logic.fmix32_step(xor(hash, 0::UBIGINT), 16, 2246822507::UBIGINT) AS mixed
        FROM hashed
),
mixed_twice AS (
    SELECT feature_id, cell, replica, hash, _logic.fmix32_step(mixed, 13, 3266489909::UBIGINT) AS mixed FROM mixed_once
)
SELECT feature_id, cell, replica, hash, xor(mixed, mixed >> 16) AS mixed FROM mixed_twice
