-- a row of the dataset, its columns as numbers, after its partition; NULL in a column that is none of numbers
-- inlined: it is read once
SELECT "_modelhub place 5f1c", _logic.number_of(COLUMNS(* EXCLUDE "_modelhub place 5f1c"))
FROM partitioned_row
WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'number')
