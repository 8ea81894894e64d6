-- nothing: stands for the texts of a dataset that has none
-- inlined: it is empty
SELECT NULL::UBIGINT AS place, NULL::USMALLINT AS feature_id, NULL::VARCHAR AS text, NULL::UBIGINT AS occurrences
    WHERE false
