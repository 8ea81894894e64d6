-- a feature whose partitions do not add up to the whole
WITH cell AS (
    SELECT dataset_id, feature_id, unnest(frequent || rare) AS n, unnest(range(len(frequent || rare))) AS place
    FROM _hub.partition_counts
),
summed AS (
    SELECT dataset_id, feature_id, place, sum(n)::UBIGINT AS n, count(*) <> count(n) AS has_nulls
    FROM cell
    GROUP BY ALL
),
whole AS (
    SELECT dataset_id, feature_id, list(n ORDER BY place ASC) AS counts, bool_or(has_nulls) AS has_nulls
    FROM summed
    GROUP BY ALL
),
numbered AS (
    SELECT dataset_id, feature_id, list_sort(list(partition_id), 'ASC') AS numbers FROM _hub.partition_counts GROUP BY ALL
)
SELECT
    f.dataset_id, f.feature,
    CASE
        WHEN n.numbers IS DISTINCT FROM range(d.partitions)::UINTEGER[] THEN 'some of its partitions are missing, or there twice'
        ELSE 'the counts of its partitions are not those of the whole'
    END AS fault
FROM _hub.features AS f
JOIN _hub.datasets AS d USING (dataset_id)
LEFT JOIN whole AS w USING (dataset_id, feature_id)
LEFT JOIN numbered AS n USING (dataset_id, feature_id)
WHERE n.numbers IS DISTINCT FROM range(d.partitions)::UINTEGER[]
    OR coalesce(w.has_nulls, false) OR len(w.counts) IS DISTINCT FROM len(f.counts)
    -- Of a large dataset a sample of the partitions is kept.
    OR CASE WHEN _logic.kept_partitions(d.rows) = _logic.whole_partitions(d.rows) THEN w.counts IS DISTINCT FROM f.counts
        ELSE list_bool_or(list_transform(w.counts, lambda n, i: n > f.counts[i])) END
