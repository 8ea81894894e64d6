-- a text feature of few values: who can guess them reads their exact frequencies
SELECT
    f.dataset_id, d.dataset, f.feature, 'a closed list of words' AS what, f."values" AS rows,
    'it has ' || len(f.bins) || ' words: who guesses them (countries, diagnoses) reads how often each occurs'
    || CASE WHEN _format.salt() = '' THEN '; the hub has no salt, so that one list serves for all hubs' ELSE '' END AS meaning
FROM _hub.features AS f
JOIN _hub.datasets AS d USING (dataset_id)
WHERE f.kind = 'text' AND len(f.bins) <= 200
