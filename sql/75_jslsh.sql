-- Partitions -> JS-LSH signatures (Eq. 2.4), computed at query time over the space that a dataset
-- shares with the target. Coordinates of a come from SHA-1, so that every client draws the same.

CREATE MACRO gaussian(function, slot, bin) AS (
    WITH hash AS (SELECT sha1(concat_ws(':', hub_seed(), function, slot, bin)) AS hex)
    SELECT sqrt(-2 * ln((('0x' || hex[1:8])::UINTEGER + 1) / 4294967296)) * cos(2 * pi() * ('0x' || hex[9:16])::UINTEGER / 4294967296)
    FROM hash
);
COMMENT ON MACRO gaussian IS 'one coordinate of a ~ N(0, I) in Eq. 2.4, from SHA-1 by the Box-Muller transform';

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

CREATE MACRO search_method(target_vectors, options) AS TABLE
    SELECT CASE
        WHEN o.search <> 'auto' THEN o.search
        WHEN (SELECT max(partition_id) + 1 FROM query_table(target_vectors)) > (SELECT jslsh_bands * jslsh_rows FROM settings) THEN 'lsh'
        ELSE 'exact'
    END AS search
    FROM query_table(options) AS o;
COMMENT ON MACRO TABLE search_method IS 'exact or lsh (one row): automatically lsh where a partition has more pairs to compare than hashes to compute';
