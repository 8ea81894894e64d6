-- a text of a column of texts in a partition and its occurrences, where the dataset has such columns
-- inlined: what is not in forms is not planned
FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'text') THEN 'text_count' ELSE 'no_text' END)
