-- Claims of sql/50_minhash.sql. That signatures are datasketch's, bit for bit, is in test_minhash.py.

WITH one AS (FROM features WHERE dataset_id = 1),
again AS (SELECT feature_id, minhash FROM minhash_signatures('one'))
SELECT 'the signature of a stored histogram is the stored signature', bool_and(a.minhash = f.minhash) AND count(*) > 1
FROM one AS f
JOIN again AS a USING (feature_id);

SELECT 'a bin is replicated by the square root of its frequency', replicas_of([1, 4, 16], 2.0) = [2, 4, 8];

WITH sample AS (SELECT [30, 50, 20] AS few, [300, 500, 200] AS many),
scaled AS (SELECT *, replica_scale(few, 100) AS scale_of_few, replica_scale(many, 1000) AS scale_of_many FROM sample)
SELECT 'ten times the rows of one distribution have the same replicas', replicas_of(few, scale_of_few) = replicas_of(many, scale_of_many)
FROM scaled;

WITH rare AS (SELECT list_transform(range(2000), lambda i: n) AS counts FROM range(1, 1000) AS r(n)),
scaled AS (SELECT counts, replica_scale(counts, list_sum(counts)) AS scale FROM rare)
SELECT 'the most frequent bin has a replica, however many bins there are', bool_and(list_max(replicas_of(counts, scale)) >= 1) AND count(*) = 999
FROM scaled;

WITH f AS (SELECT 1 AS feature_id, [3, 9]::USMALLINT[] AS bins, [50, 50]::UBIGINT[] AS counts, 100::UBIGINT AS "values"),
element AS (SELECT bin, list(replica ORDER BY replica) AS replica_numbers FROM minhash_elements('f') GROUP BY bin)
SELECT 'the replicas of a bin are numbered from 0', count(*) = 2 AND bool_and(replica_numbers = range(len(replica_numbers)))
FROM element;

WITH f AS (SELECT 1 AS feature_id, [3]::USMALLINT[] AS bins, [1]::UBIGINT[] AS counts, 1::UBIGINT AS "values")
SELECT 'the hash of an element is of bin:replica', bool_and(hash = sha1_hash32('3:' || replica)) FROM minhash_elements('f');

SELECT 'a band folds to one number, and another order to another',
    band_signature([1, 2, 3]) = band_signature([1, 2, 3]) AND band_signature([1, 2, 3]) <> band_signature([3, 2, 1]);

SELECT 'a band of the greatest hashes folds without overflow', band_signature(list_transform(range(64), lambda i: 4294967295)) > 0;
