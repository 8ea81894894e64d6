-- Laid over a hub in one connection: the temporary catalog comes first, in stored macros too.

CREATE OR REPLACE TEMP MACRO memory_limit_bytes() AS
    split_part(current_setting('memory_limit'), ' ', 1)::DOUBLE
    * 1024 ** list_position(['KiB', 'MiB', 'GiB', 'TiB'], split_part(current_setting('memory_limit'), ' ', 2));

CREATE OR REPLACE TEMP MACRO most_collected() AS least(1 << 26, memory_limit_bytes() / 32);

-- Chosen by examples/benchmarks/counting.py. Learnt bins are a long expression.
CREATE OR REPLACE TEMP MACRO most_columns() AS CASE hub_number_binning() WHEN 'learnt' THEN 1 ELSE 32 END;

CREATE OR REPLACE TEMP MACRO collected_column(x) AS {
    bins: list(coalesce(number_bin(x), hub_number_bins() + 3)::USMALLINT), total: sum(CASE WHEN isfinite(x) THEN x END)
};

-- The bins of each column are collected in a list and counted in numpy. Lists can't be spilled to disk, so the
-- cells of a dataset that is large beside memory_limit are counted by the hub's SQL; and those of a wide one,
-- because each column takes a millisecond to plan.
CREATE OR REPLACE TEMP MACRO number_elements(partitioned, columns) AS TABLE
    WITH size AS MATERIALIZED (
        SELECT width > most_columns() OR height * width > most_collected() AS is_large
        FROM
            (SELECT count(*) AS height FROM query_table(partitioned)),
            (SELECT max(feature_id) AS width FROM query_table(columns))
    ),
    large_columns AS (FROM query_table(columns) WHERE (SELECT is_large FROM size)),
    small_columns AS (FROM query_table(columns) WHERE (SELECT NOT is_large FROM size)),
    large_cell AS (FROM number_cells(partitioned, 'large_columns')),
    collected AS (
        -- The first is the partition.
        SELECT list("modelhub partition") AS "modelhub partition", collected_column(COLUMNS(lambda name, place: place BETWEEN 2 AND most_columns() + 1))
        FROM number_rows(partitioned, 'small_columns')
        HAVING count(*) > 0
    ),
    counted AS (
        SELECT unnest(modelhub_elements(hub_number_bins(), *COLUMNS(*))) AS e FROM collected
    )
    SELECT element_key(e.partition_id, e.feature_id, e.bin) AS element, e.occurrences, e.total FROM counted
    UNION ALL
    FROM cell_elements('large_cell');

CREATE OR REPLACE TEMP MACRO feature_partitions(elements, features) AS TABLE
    WITH feature_element AS (
        SELECT
            feature_id, list(partition_id::UINTEGER) AS partition_ids, list(bin::USMALLINT) AS bins,
            list(occurrences::UINTEGER) AS occurrences
        FROM query_table(elements)
        WHERE bin IS NOT NULL
        GROUP BY feature_id
    )
    SELECT
        feature_id,
        modelhub_histograms(
            f.bins::USMALLINT[], e.partition_ids, e.bins, e.occurrences,
            (SELECT max(partition_id) + 1 FROM query_table(elements))::UINTEGER
        ) AS partitions
    FROM query_table(features) AS f
    JOIN feature_element AS e USING (feature_id);

CREATE OR REPLACE TEMP MACRO minhash_agg(h) AS modelhub_minhash(
    list(h::UINTEGER),
    (SELECT list(multiplier ORDER BY function) FROM minhash_functions),
    (SELECT list(increment ORDER BY function) FROM minhash_functions)
);

CREATE OR REPLACE TEMP MACRO jslsh_signatures(vectors, functions, threshold) AS TABLE
    WITH space_matrix AS (
        SELECT space_id, list(owner) AS owners, list(partition_id) AS partitions, flatten(list(roots)) AS roots
        FROM query_table(vectors)
        GROUP BY space_id
    ),
    space_function AS (
        SELECT space_id, flatten(list(direction ORDER BY function)) AS directions, list(shift ORDER BY function) AS shifts
        FROM query_table(functions)
        GROUP BY space_id
    ),
    hashed AS (
        SELECT
            space_id, len(shifts) AS hash_count,
            unnest(modelhub_jslsh(roots, directions, shifts, (SELECT width FROM query_table(threshold)))) AS hash,
            unnest(range(len(owners) * len(shifts))) AS place
        FROM space_matrix
        JOIN space_function USING (space_id)
    ),
    banded AS (
        SELECT
            space_id, place // hash_count AS member, place % hash_count // (SELECT jslsh_rows FROM settings) AS band,
            list(hash ORDER BY place) AS signature
        FROM hashed
        GROUP BY ALL
    ),
    member AS (
        SELECT
            space_id, unnest(owners) AS owner, unnest(partitions) AS partition_id, unnest(range(len(owners))) AS member
        FROM space_matrix
    )
    SELECT owner, space_id, partition_id, band, signature
    FROM banded
    JOIN member USING (space_id, member);

CREATE OR REPLACE TEMP MACRO pair_matrices(pairs, source_vectors, target_vectors) AS TABLE
    WITH space_pair AS (
        SELECT
            space_id,
            list(pair_id) AS pair_ids,
            list((owner::UBIGINT << 32) | source_partition::UINTEGER) AS pair_sources,
            list(target_partition::UBIGINT) AS pair_targets
        FROM query_table(pairs)
        GROUP BY space_id
    ),
    source_matrix AS (
        SELECT space_id, flatten(list(roots)) AS source_roots, list((owner::UBIGINT << 32) | partition_id::UINTEGER) AS source_keys
        FROM query_table(source_vectors) AS v
        SEMI JOIN query_table(pairs) AS p ON p.owner = v.owner AND p.source_partition = v.partition_id
        GROUP BY space_id
    ),
    target_matrix AS (
        SELECT space_id, flatten(list(roots)) AS target_roots, list(partition_id::UBIGINT) AS target_keys
        FROM query_table(target_vectors)
        GROUP BY space_id
    )
    FROM space_pair
    JOIN source_matrix USING (space_id)
    JOIN target_matrix USING (space_id);

CREATE OR REPLACE TEMP MACRO pair_divergences(pairs, source_vectors, target_vectors) AS TABLE
    SELECT
        unnest(pair_ids) AS pair_id,
        unnest(modelhub_pair_divergences(source_roots, source_keys, target_roots, target_keys, pair_sources, pair_targets)) AS js_divergence
    FROM pair_matrices(pairs, source_vectors, target_vectors);

CREATE OR REPLACE TEMP MACRO colliding_pairs(source_vectors, target_vectors, source_signatures, target_signatures, threshold) AS TABLE
    WITH colliding AS MATERIALIZED (
        SELECT row_number() OVER () AS pair_id, * FROM (
            SELECT DISTINCT s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
            FROM query_table(source_signatures) AS s
            JOIN query_table(target_signatures) AS t USING (space_id, band, signature)
        )
    ),
    distance AS (
        SELECT
            unnest(pair_ids) AS pair_id,
            unnest(modelhub_pair_hellinger2(source_roots, source_keys, target_roots, target_keys, pair_sources, pair_targets)) AS hellinger2
        FROM pair_matrices('colliding', source_vectors, target_vectors)
    )
    SELECT owner, space_id, source_partition, target_partition, hellinger2
    FROM colliding
    JOIN distance USING (pair_id)
    WHERE hellinger2 <= (SELECT max_js FROM query_table(threshold)) / ln(2);

-- All pairs straight from the histograms; only what is hashed becomes vectors in SQL.
CREATE OR REPLACE TEMP MACRO partition_matches(
    source_members, source_partitions, target_members, target_partitions, axis, threshold, method, options
) AS TABLE
    WITH hashed_members AS (FROM query_table(source_members) WHERE (SELECT search FROM query_table(method)) = 'lsh'),
    hashed_target AS (FROM query_table(target_members) WHERE (SELECT search FROM query_table(method)) = 'lsh'),
    compared_member AS MATERIALIZED (
        SELECT
            owner, space_id::UINTEGER AS space_id, feature_id::UINTEGER AS feature_id, bins,
            (row_number() OVER (PARTITION BY owner, space_id ORDER BY slot) - 1)::UINTEGER AS number
        FROM (FROM query_table(source_members) UNION ALL FROM query_table(target_members))
        WHERE (SELECT search FROM query_table(method)) = 'exact'
    ),
    compared_space AS (
        SELECT
            owner, space_id, list(feature_id ORDER BY number) AS feature_ids, list(bins ORDER BY number) AS bins
        FROM compared_member
        GROUP BY owner, space_id
    ),
    source_histogram AS (
        SELECT {
            owner: list(m.owner::UINTEGER), number: list(m.number), partition_id: list(h.partition_id), counts: list(h.counts)
        } AS histograms
        FROM compared_member AS m
        JOIN query_table(source_partitions) AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
        HAVING count(*) > 0
    ),
    target_histogram AS (
        SELECT {feature_id: list(feature_id::UINTEGER), partition_id: list(partition_id), counts: list(counts)} AS histograms
        FROM query_table(target_partitions)
    ),
    slot_bins AS (
        SELECT space_id::UINTEGER AS space_id, slot, list(bin ORDER BY position) AS bins FROM query_table(axis) GROUP BY ALL
    ),
    space_bins AS (
        SELECT space_id, list(bins ORDER BY slot) AS bins FROM slot_bins GROUP BY space_id
    ),
    dataset AS (
        SELECT list({
            owner: s.owner::UINTEGER, space_id: s.space_id, bins: s.bins,
            target_features: t.feature_ids, target_bins: t.bins, axis: a.bins
        } ORDER BY s.space_id, s.owner) AS datasets
        FROM compared_space AS s
        JOIN compared_space AS t ON t.space_id = s.space_id AND t.owner = 0
        JOIN space_bins AS a ON a.space_id = s.space_id
        WHERE s.owner <> 0
        HAVING count(*) > 0
    ),
    compared AS (
        SELECT unnest(modelhub_matches(
            d.datasets, s.histograms, t.histograms,
            (SELECT sample_space = 'aligned' FROM query_table(options)), (SELECT max_js FROM query_table(threshold))
        )) AS pair
        FROM dataset AS d, source_histogram AS s, target_histogram AS t
    ),
    hashed_vectors AS MATERIALIZED (FROM space_vectors('hashed_members', source_partitions, axis, options)),
    hashed_target_vectors AS MATERIALIZED (FROM space_vectors('hashed_target', target_partitions, axis, options)),
    hashed_pairs AS MATERIALIZED (FROM hashed_pairs('hashed_vectors', 'hashed_target_vectors', axis, threshold, method))
    SELECT pair.owner, pair.source_partition, pair.target_partition, pair.hellinger2 FROM compared
    UNION ALL
    FROM verified_pairs('hashed_pairs', 'hashed_vectors', 'hashed_target_vectors', threshold);
