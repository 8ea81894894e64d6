-- nothing: stands for the elements of a form that the dataset has not
-- inlined: it is empty
SELECT NULL::VARCHAR AS form, NULL::UBIGINT AS element, NULL::UBIGINT AS occurrences, NULL::DOUBLE AS total WHERE false
