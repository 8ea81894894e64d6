-- Types and names: what kind of feature a column of a type is, and when two names are the same.

-- dataset -> cells. A row is a cell of the dataset: one column of one row, in the partition
-- that the row falls into (Def. 2). Numbers and times, lists of numbers, and texts are taken
-- apart in four macros of the same form, because one column of SQL has one type.
CREATE MACRO _logic.element_type(type) AS rtrim(type, '[]0123456789');
COMMENT ON MACRO _logic.element_type IS 'type of the elements of a (nested) list; any other type itself';

CREATE MACRO _logic.list_depth(type) AS
    len(substr(type, len(_logic.element_type(type)) + 1)) - len(replace(substr(type, len(_logic.element_type(type)) + 1), '[',
        ''));
COMMENT ON MACRO _logic.list_depth IS 'how deep the lists of a type are nested; 0 for a type that is no list';

CREATE MACRO _logic.is_number_type(type) AS list_contains(
    [
        'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT',
        'BIGNUM', 'FLOAT', 'DOUBLE', 'DECIMAL', 'BOOLEAN'
    ],
    rtrim(type, '(0123456789,)')
);
COMMENT ON MACRO _logic.is_number_type IS 'whether a type is one of numbers; a boolean is 0 or 1';

CREATE MACRO _logic.is_time_type(type) AS
    type IN ('DATE', 'INTERVAL') OR (type LIKE 'TIME%' AND type NOT LIKE '%]');
COMMENT ON MACRO _logic.is_time_type IS 'whether a type is a date, time of day, timestamp or interval';

CREATE MACRO _logic.has_leaves() AS NOT starts_with(version(), 'v1.4.');
COMMENT ON MACRO _logic.has_leaves IS 'whether this DuckDB can make the leaves of columns of structs, called by their path: 1.4 cannot';

CREATE MACRO _logic.kind_of(type) AS CASE
    WHEN NOT _logic.has_leaves() AND starts_with(type, 'STRUCT') AND NOT ends_with(type, ']')
        THEN error('DatasetError: a column of structs (' || left(type, 100) || ') takes DuckDB 1.5 or later: exclude it')
    -- A type of thousands of names is long.
    WHEN starts_with(type, 'ENUM(') THEN 'text'
    -- With or without the coordinates that it is in.
    WHEN starts_with(type, 'GEOMETRY') OR _logic.element_type(type) IN ('BLOB', '"NULL"', 'NULL') THEN NULL
    WHEN _logic.is_number_type(_logic.element_type(type)) AND _logic.list_depth(type) <= 3 THEN 'number'
    WHEN _logic.is_time_type(type) THEN 'time'
    ELSE 'text'
END;
COMMENT ON MACRO _logic.kind_of IS 'kind of a column of a type: number, time or text; NULL for a type that cannot be compared';

CREATE MACRO _logic.is_text_type(type) AS type IN ('VARCHAR', 'JSON') OR (starts_with(type, 'ENUM(')
    AND NOT ends_with(type, ']'));
COMMENT ON MACRO _logic.is_text_type IS 'whether cells of a type may spell numbers or times';

CREATE MACRO _logic.folded(name) AS CASE
    -- Where all letters are of ASCII it is the same, and much faster.
    WHEN strlen(name) = length(name) THEN lower(name)
    ELSE translate(name, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
END;
COMMENT ON MACRO _logic.folded IS 'a name in lower case as DuckDB compares names: the letters of ASCII only, so that no two columns of a table share one';

CREATE MACRO _logic.quoted_path(name) AS CASE
    WHEN contains(name, '"') THEN name
    WHEN contains(name, '/') OR contains(name, '\')
        OR regexp_matches(name, '\.(parquet|csv|tsv|json|jsonl|ndjson)(\.(gz|zst))?$', 'i')
        THEN '"' || name || '"'
    ELSE name
END;
COMMENT ON MACRO _logic.quoted_path IS 'name of a dataset for query_table: a path in quotes, or DuckDB 1.x takes its dots for those between database, schema and table';
