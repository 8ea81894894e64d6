-- Histograms of partitions: how they are stored, and how far they lie from the whole.

-- A partition of a few rows would be these rows: what is left, where it is less than half of m, joins the last partition.
CREATE MACRO _logic.whole_partitions(rows) AS greatest(sign(rows), round(rows / _format.partition_size()))::BIGINT;
COMMENT ON MACRO _logic.whole_partitions IS 'how many partitions so many rows fall into, none of fewer than half of m rows';

CREATE MACRO _logic.kept_partitions(rows) AS least(_logic.whole_partitions(rows), _format.max_partitions());
COMMENT ON MACRO _logic.kept_partitions IS 'of how many partitions of so many rows the histograms are kept';

-- In random partitions the first are as good a sample as any; others are taken evenly.
CREATE MACRO _logic.kept_partition(partition, kept, whole) AS CASE _format.partitioning()
    WHEN 'sequential' THEN CASE WHEN partition * kept % whole < kept THEN partition * kept // whole ELSE kept END
    ELSE least(partition, kept)
END::UINTEGER;
COMMENT ON MACRO _logic.kept_partition IS 'number of a partition among those that are kept; one more than the last where it is not';

CREATE MACRO _logic.frequent_bins(counts, partitions) AS len(list_filter(counts, lambda n: n >= 2 * partitions));
COMMENT ON MACRO _logic.frequent_bins IS 'how many bins of a feature occur at least twice in a partition, on average';

CREATE MACRO _logic.mean_spread(feature_spreads, dataset_spread) AS least(avg(feature_spreads),
    any_value(dataset_spread) / count(*));
COMMENT ON MACRO _logic.mean_spread IS 'the most that a partition''s JS divergence from the whole can be, over a group of features: two bounds, of which either may be the lower';

CREATE MACRO _logic.bins_mean(kind, bins, counts, k, b) AS CASE WHEN kind <> 'text' THEN
    list_sum(list_transform(bins, lambda bin, i: CASE WHEN isfinite(bin) THEN (bin + _logic.bin_width(bin, k, b) / 2) * counts[i]
        ELSE 0 END))
    / nullif(list_sum(list_transform(bins, lambda bin, i: CASE WHEN isfinite(bin) THEN counts[i] ELSE 0 END)), 0)
END;
COMMENT ON MACRO _logic.bins_mean IS 'mean of the numbers of a histogram, each in the middle of its bin; an exact mean would tell the rows that two versions differ by';

CREATE MACRO _logic.feature_key(dataset_id, feature_id) AS dataset_id::UBIGINT << 16 | feature_id;
COMMENT ON MACRO _logic.feature_key IS 'a feature of a dataset as one number';
