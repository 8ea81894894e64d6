-- a text feature of few values: who can guess them reads their exact frequencies
SELECT
    f.dataset_id, d.dataset, f.feature, 'a closed list of words' AS what, f."values" AS rows,
    'it has ' || len(f.bins) || ' words: ' || CASE
        WHEN _format.salt_fingerprint() = '' THEN 'who guesses them (countries, diagnoses) reads how often each occurs; '
            || 'the hub has no salt, so that one list serves for all hubs'
        ELSE 'who has the salt and guesses them (countries, diagnoses) reads how often each occurs; who lacks it sees the counts, '
            || 'and may know which word is the most frequent'
    END AS meaning
FROM _hub.features AS f
JOIN _hub.datasets AS d USING (dataset_id)
WHERE f.kind = 'text' AND len(f.bins) <= 200
