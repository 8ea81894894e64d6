-- nothing: stands for the numbers of the sample of a form that the dataset has not
-- inlined: it is empty
SELECT NULL::BIGINT AS row, NULL::USMALLINT AS feature_id, NULL::DOUBLE AS "value" WHERE false
