-- Pairs of partitions, JS-LSH (Eq. 2.4; coordinates of a come from SHA-1, so that every client draws the same), and samples for an automatic t.

-- Partitions -> JS-LSH signatures (Eq. 2.4), computed at query time over the space that a dataset
-- shares with the target. Coordinates of a come from SHA-1, so that every client draws the same.
CREATE MACRO _logic.box_muller(hex) AS
    sqrt(-2 * ln((('0x' || hex[1:8])::UBIGINT + 1) / 4294967296)) * cos(2 * pi() * ('0x' || hex[9:16])::UINTEGER / 4294967296);
COMMENT ON MACRO _logic.box_muller IS 'a standard normal number from 16 hexadecimal digits, by the Box-Muller transform';

CREATE MACRO _logic.gaussian(function, slot,
    ordinal) AS _logic.box_muller(sha1(concat_ws(':', _format.seed(), function, slot, ordinal)));
COMMENT ON MACRO _logic.gaussian IS 'one coordinate of a ~ N(0, I) in Eq. 2.4, from SHA-1';

-- Measured: with 1,000 target partitions and 125 hashes both ways take equally long in SQL.
CREATE MACRO _logic.pairs_per_hash() AS 8;
COMMENT ON MACRO _logic.pairs_per_hash IS 'pairs that are compared in the time of a hash';

-- row_number() would be as good, but leaves what comes before to one thread.
CREATE MACRO _logic.pair_number(owner, source_partition, target_partition) AS
    (owner::HUGEINT << 64) | (source_partition::HUGEINT << 32) | target_partition::HUGEINT;
COMMENT ON MACRO _logic.pair_number IS 'a pair of partitions as one number';

CREATE MACRO _logic.sample_size() AS 4;
COMMENT ON MACRO _logic.sample_size IS 'partitions of the target, and of each dataset, whose divergences an automatic t is chosen from';

CREATE MACRO _logic.is_sampled(partition_id, partitions) AS CASE _format.partitioning()
    WHEN 'sequential' THEN (partitions - partition_id::BIGINT
        * _logic.sample_size() % partitions) % partitions < _logic.sample_size()
    ELSE partition_id < _logic.sample_size()
END;
COMMENT ON MACRO _logic.is_sampled IS 'whether a partition is in the sample: the first ones, or evenly spread ones where they are in the order of the rows';

CREATE MACRO _logic.slot_of(feature_id, kind, sample_space) AS CASE
    WHEN sample_space = 'aligned' THEN feature_id
    WHEN kind = 'number' THEN 0
    WHEN kind = 'time' THEN 1
    ELSE 2
END::INTEGER;
COMMENT ON MACRO _logic.slot_of IS 'slot of a target feature in a space: its own, or, when flattened, that of its kind';
