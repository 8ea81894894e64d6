-- nothing: stands for the elements of a form that the dataset has not
-- inlined: it is empty
SELECT NULL::VARCHAR AS form, NULL::UBIGINT AS place, NULL::DOUBLE AS bin, NULL::UBIGINT AS occurrences WHERE false
