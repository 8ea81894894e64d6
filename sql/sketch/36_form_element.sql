-- a bin of a column in a partition, whatever the form of its cells
-- inlined: planning takes longer than counting 50,000 rows, and what is not in forms is not planned
FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'number') THEN 'number_element' ELSE 'no_element' END)
UNION ALL
FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'time') THEN 'time_element' ELSE 'no_element' END)
UNION ALL
FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'list') THEN 'list_element' ELSE 'no_element' END)
UNION ALL
FROM query_table(CASE WHEN forms IS NULL OR list_contains(forms::VARCHAR[], 'text') THEN 'text_element' ELSE 'no_element' END)
