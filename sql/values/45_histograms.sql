-- Histograms of partitions: how they are stored, and how far they lie from the whole.

CREATE MACRO _logic.frequent_bins(counts, partitions) AS len(list_filter(counts, lambda n: n >= 2 * partitions));
COMMENT ON MACRO _logic.frequent_bins IS 'how many bins of a feature occur at least twice in a partition, on average';

CREATE MACRO _logic.mean_spread(feature_spreads, dataset_spread) AS least(avg(feature_spreads), any_value(dataset_spread) / count(*));
COMMENT ON MACRO _logic.mean_spread IS 'the most that a partition''s JS divergence from the whole can be, over a group of features: two bounds, of which either may be the lower';
