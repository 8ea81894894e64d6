-- Partitions -> JS-LSH signatures (Eq. 2.4), computed at query time over the space that a dataset
-- shares with the target. Coordinates of a come from SHA-1, so that every client draws the same.

CREATE MACRO box_muller(hex) AS
    sqrt(-2 * ln((('0x' || hex[1:8])::UBIGINT + 1) / 4294967296)) * cos(2 * pi() * ('0x' || hex[9:16])::UINTEGER / 4294967296);
COMMENT ON MACRO box_muller IS 'a standard normal number from 16 hexadecimal digits, by the Box-Muller transform';

CREATE MACRO gaussian(function, slot, bin) AS box_muller(sha1(concat_ws(':', hub_seed(), function, slot, bin)));
COMMENT ON MACRO gaussian IS 'one coordinate of a ~ N(0, I) in Eq. 2.4, from SHA-1';

CREATE MACRO space_functions(axis) AS TABLE
    WITH coordinate AS (
        SELECT space_id, slot, bin, position FROM query_table(axis)
        UNION ALL
        SELECT space_id, -1, -1, max(position) + 1 FROM query_table(axis) GROUP BY space_id
    ),
    hash_function AS (
        SELECT unnest(range((SELECT jslsh_bands * jslsh_rows FROM settings)))::INTEGER AS function
    ),
    -- Drawn once, however many spaces have the coordinate.
    drawn AS MATERIALIZED (
        SELECT slot, bin, function, gaussian(function, slot, bin) AS a FROM (SELECT DISTINCT slot, bin FROM coordinate), hash_function
    ),
    direction AS (
        SELECT space_id, function, list(a ORDER BY position) AS direction
        FROM coordinate
        JOIN drawn USING (slot, bin)
        GROUP BY space_id, function
    )
    SELECT
        space_id, function, direction,
        ('0x' || sha1(concat_ws(':', hub_seed(), function, 'b'))[1:8])::UINTEGER / 4294967296 AS shift
    FROM direction;
COMMENT ON MACRO TABLE space_functions IS 'a JS-LSH function of a space: a of Eq. 2.4 (direction), and b / r in [0, 1) (shift)';

CREATE MACRO jslsh_signatures(vectors, functions, threshold) AS TABLE
    SELECT
        v.owner, v.space_id, v.partition_id,
        f.function // (SELECT jslsh_rows FROM settings) AS band,
        list(
            ceil(list_inner_product(v.roots, f.direction) / (SELECT width FROM query_table(threshold)) + f.shift)::BIGINT
            ORDER BY f.function
        ) AS signature
    FROM query_table(vectors) AS v
    JOIN query_table(functions) AS f USING (space_id)
    GROUP BY ALL;
COMMENT ON MACRO TABLE jslsh_signatures IS 'a band of a partition: the values of its JS-LSH functions (Eq. 2.4), negative ones too';

-- Measured: with 1,000 target partitions and 125 hashes both ways take equally long in SQL.
CREATE MACRO pairs_per_hash() AS 8;
COMMENT ON MACRO pairs_per_hash IS 'pairs that are compared in the time of a hash';

CREATE MACRO search_method(target_partitions, options) AS TABLE
    SELECT CASE
        WHEN o.search <> 'auto' THEN o.search
        WHEN (SELECT max(partition_id) + 1 FROM query_table(target_partitions)) > pairs_per_hash() * (SELECT jslsh_bands * jslsh_rows FROM settings) THEN 'lsh'
        ELSE 'exact'
    END AS search
    FROM query_table(options) AS o;
COMMENT ON MACRO TABLE search_method IS 'exact or lsh (one row): automatically lsh where to hash a partition takes less time than to compare its pairs';

CREATE MACRO centre_collisions(matches, target_sketch) AS TABLE
    WITH centre AS (
        SELECT m.dataset_id, m.target_feature_id AS slot, s.mean AS source_mean, t.mean AS target_mean
        FROM query_table(matches) AS m
        JOIN query_table(target_sketch) AS t ON t.feature_id = m.target_feature_id
        JOIN features AS s ON s.dataset_id = m.dataset_id AND s.feature_id = m.feature_id
        WHERE isfinite(s.mean) AND isfinite(t.mean)
    ),
    distance AS (
        SELECT dataset_id, sqrt(sum((source_mean - target_mean) ** 2)) AS l2_distance FROM centre GROUP BY dataset_id
    ),
    median_distance AS MATERIALIZED (
        SELECT greatest(quantile_cont(l2_distance, 0.5), 1e-9) AS width FROM distance
    ),
    hash_function AS (
        SELECT unnest(range((SELECT jslsh_bands * jslsh_rows FROM settings)))::INTEGER AS function
    ),
    drawn AS MATERIALIZED (
        SELECT
            slot, function, gaussian(function, slot, 'l2') AS a,
            ('0x' || sha1(concat_ws(':', hub_seed(), function, 'l2'))[1:8])::UINTEGER / 4294967296 AS shift
        FROM (SELECT DISTINCT slot FROM centre), hash_function
    ),
    projected AS (
        SELECT dataset_id, function, any_value(shift) AS shift, sum(a * source_mean) AS source, sum(a * target_mean) AS target
        FROM centre
        JOIN drawn USING (slot)
        GROUP BY dataset_id, function
    )
    SELECT
        dataset_id, width,
        count(*) FILTER (ceil(source / width + shift) = ceil(target / width + shift)) / count(*) AS collisions
    FROM projected, median_distance
    GROUP BY dataset_id, width;
COMMENT ON MACRO TABLE centre_collisions IS 'a dataset and the share of L2-LSH functions (r the median distance) on which its centre collides with the target''s';
