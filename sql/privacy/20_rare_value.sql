-- a feature with bins that one row alone, or fewer than five, fall into
SELECT
    f.dataset_id, d.dataset, f.feature, 'values of few rows' AS what,
    len(list_filter(f.counts, lambda n: n < 5))::UBIGINT AS rows,
    'so many of its ' || len(f.bins) || ' bins hold fewer than 5 values ('
    || len(list_filter(f.counts, lambda n: n = 1)) || ' a single one): who knows a value may see that it is there' AS meaning
FROM _hub.features AS f
JOIN _hub.datasets AS d USING (dataset_id)
WHERE len(list_filter(f.counts, lambda n: n < 5)) > 0
