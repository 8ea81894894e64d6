-- a row of the dataset without the excluded columns, after its number from 0; structs are replaced by their leaves
FROM _logic.numbered_rows(dataset, exclude := exclude, nested := nested)
