-- a band of a partition: the values of its JS-LSH functions (Eq. 2.4), negative ones too
SELECT
    v.owner, v.space_id, v.partition_id,
    f.function // (SELECT jslsh_rows FROM options) AS band,
    list(
        ceil(list_inner_product(v.roots, f.direction) / (SELECT width FROM threshold) + f.shift)::BIGINT
        ORDER BY f.function ASC
    ) AS signature
FROM partition_vector AS v
JOIN hash_function AS f USING (space_id)
GROUP BY ALL
