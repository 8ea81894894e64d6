-- a feature, its number of MinHash elements and their signature, minhash_bands * minhash_rows values (section 3.4)
SELECT feature_id, count(*)::UINTEGER AS elements, _format.minhash_agg(mixed)::UINTEGER[] AS minhash
FROM minhash_element
GROUP BY feature_id
