-- a band of a partition: the values of its JS-LSH functions (Eq. 2.4), negative ones too
WITH space_matrix AS (
    SELECT space_id, list(owner) AS owners, list(partition_id) AS partitions, flatten(list(roots)) AS roots
    FROM partition_vector
    GROUP BY space_id
),
space_function AS (
    SELECT space_id, flatten(list(direction ORDER BY function ASC)) AS directions, list(shift ORDER BY function ASC) AS shifts
    FROM hash_function
    GROUP BY space_id
),
hashed AS (
    SELECT
        space_id, len(shifts) AS hash_count,
        unnest(modelhub_jslsh(roots, directions, shifts, (SELECT width FROM threshold))) AS hash,
        unnest(range(len(owners) * len(shifts))) AS place
    FROM space_matrix
    JOIN space_function USING (space_id)
),
banded AS (
    SELECT
        space_id, place // hash_count AS member, place % hash_count // (SELECT jslsh_rows FROM options) AS band,
        list(hash ORDER BY place ASC) AS signature
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
JOIN member USING (space_id, member)
