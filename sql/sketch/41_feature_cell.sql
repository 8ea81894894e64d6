-- a cell of the grid that all features of a kind share, and how often the feature takes it: what MinHash elements are made of
SELECT feature_id, cells.cell AS cell, sum(cells.n) AS n
FROM (SELECT feature_id, unnest(_logic.grid_cells(kind, bins, counts, k, b)) AS cells FROM feature_histogram)
GROUP BY ALL
