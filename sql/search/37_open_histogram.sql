-- such a pair with the histogram of the dataset's feature
-- inlined: its histograms would be a copy of the hub's
SELECT o.*, f.bins, f.counts, f."values", f.elements
FROM open_pair AS o
JOIN _hub.features AS f USING (dataset_id, feature_id)
