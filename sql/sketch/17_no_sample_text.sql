-- nothing: stands for the texts of the sample of a dataset that has none
-- inlined: it is empty
SELECT NULL::BIGINT AS row, NULL::USMALLINT AS feature_id, NULL::VARCHAR AS text WHERE false
