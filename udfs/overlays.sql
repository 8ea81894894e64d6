-- Laid over a hub in one connection: the temporary catalog comes first, in stored macros too.

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
            space_id, len(shifts) AS hash_count, unnest(owners) AS owner, unnest(partitions) AS partition_id,
            generate_subscripts(owners, 1) AS member,
            modelhub_jslsh(roots, directions, shifts, (SELECT width FROM query_table(threshold))) AS hashes
        FROM space_matrix
        JOIN space_function USING (space_id)
    ),
    banded AS (
        SELECT *, unnest(range((SELECT jslsh_bands FROM settings))) AS band, (SELECT jslsh_rows FROM settings) AS rows FROM hashed
    )
    SELECT
        owner, space_id, partition_id, band,
        hashes[(member - 1) * hash_count + band * rows + 1 : (member - 1) * hash_count + (band + 1) * rows] AS signature
    FROM banded;

CREATE OR REPLACE TEMP MACRO all_pairs(source_vectors, target_vectors, threshold, method) AS TABLE
    WITH source_matrix AS (
        SELECT
            space_id, flatten(list(roots)) AS roots,
            list(owner::UINTEGER) AS owners, list(partition_id::UINTEGER) AS partitions
        FROM query_table(source_vectors)
        WHERE (SELECT search FROM query_table(method)) = 'exact'
        GROUP BY space_id
    ),
    target_matrix AS (
        SELECT space_id, flatten(list(roots)) AS roots, list(partition_id::UINTEGER) AS partitions
        FROM query_table(target_vectors)
        GROUP BY space_id
    ),
    close_pair AS (
        SELECT
            space_id,
            unnest(modelhub_close_pairs(
                s.roots, s.owners, s.partitions, t.roots, t.partitions, (SELECT max_js / ln(2) FROM query_table(threshold))
            )) AS pair
        FROM source_matrix AS s
        JOIN target_matrix AS t USING (space_id)
    )
    SELECT pair.owner, space_id, pair.source_partition, pair.target_partition, pair.hellinger2 FROM close_pair;
