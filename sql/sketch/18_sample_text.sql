-- a text of the sample, of a column of texts; as often as it occurs
-- inlined: it is read once
WITH typed AS (
    SELECT _logic.text_of(COLUMNS(*)) FROM sample_row WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'text')
),
listed AS (
    SELECT [*COLUMNS(*)] AS cells FROM typed
)
SELECT NULL::UINTEGER AS partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS text, 1::UBIGINT AS occurrences
FROM listed
