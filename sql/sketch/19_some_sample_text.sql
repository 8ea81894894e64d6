-- a cell of the sample, of a column of texts that is not missing, where the dataset has such columns
-- inlined: what is not in forms is not planned
FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'text') THEN 'sample_text' ELSE 'no_sample_text' END)
