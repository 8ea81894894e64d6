-- a column of numbers or times and the resolution of its bins, chosen from a sample (k: the smallest quantum is 2^k; b: bits that count)
WITH sorted AS (
    SELECT feature_id, list("value" ORDER BY "value" ASC) AS numbers FROM sample_number WHERE isfinite("value")
        GROUP BY feature_id
),
resolved AS (
    SELECT c.feature_id, _logic.resolution(s.numbers) AS resolution
    FROM dataset_column AS c
    LEFT JOIN sorted AS s USING (feature_id)
    WHERE c.kind <> 'text'
)
SELECT feature_id, resolution.k::SMALLINT AS k, resolution.b::SMALLINT AS b
FROM resolved
