-- a row of the dataset, its columns as numbers, after its partition; NULL in a column that is none of numbers
-- inlined: it is read once
SELECT "modelhub partition", _logic.number_of(COLUMNS(* EXCLUDE "modelhub partition"))
FROM partitioned_row
WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'number')
