-- Claims of sql/values/20_kinds.sql.

SELECT 'lists are taken apart: ' || type, _logic.element_type(type) = element AND _logic.list_depth(type) = depth
FROM (VALUES
    ('INTEGER', 'INTEGER', 0), ('INTEGER[]', 'INTEGER', 1), ('FLOAT[3]', 'FLOAT', 1), ('UTINYINT[28][28]', 'UTINYINT', 2),
    ('VARCHAR[][]', 'VARCHAR', 2), ('DECIMAL(9,2)[]', 'DECIMAL(9,2)', 1)
) AS t(type, element, depth);

SELECT 'a column of type ' || type || ' is ' || coalesce(kind, 'skipped'), _logic.kind_of(type) IS NOT DISTINCT FROM kind
FROM (VALUES
    ('TINYINT', 'number'), ('UBIGINT', 'number'), ('HUGEINT', 'number'), ('UHUGEINT', 'number'), ('BIGNUM', 'number'),
    ('FLOAT', 'number'), ('DOUBLE', 'number'), ('DECIMAL(18,3)', 'number'), ('BOOLEAN', 'number'), ('INTEGER[]', 'number'),
    ('FLOAT[3]', 'number'), ('DOUBLE[2][2][2]', 'number'),
    ('DATE', 'time'), ('TIMESTAMP', 'time'), ('TIMESTAMP WITH TIME ZONE', 'time'), ('TIMESTAMP_NS', 'time'), ('TIME', 'time'),
    ('INTERVAL', 'time'),
    ('VARCHAR', 'text'), ('JSON', 'text'), ('UUID', 'text'), ('ENUM(''a'', ''b'')', 'text'), ('VARCHAR[]', 'text'),
    ('TIMESTAMP[]', 'text'), ('DOUBLE[][][][]', 'text'),
    ('BLOB', NULL), ('BLOB[]', NULL), ('GEOMETRY', NULL), ('GEOMETRY(''EPSG:4326'')', NULL), ('"NULL"', NULL)
) AS t(type, kind);

SELECT 'the types that DuckDB tells of values are known',
    _logic.kind_of(typeof(1)) = 'number' AND _logic.kind_of(typeof(1.5)) = 'number' AND _logic.kind_of(typeof(true)) = 'number'
    AND _logic.kind_of(typeof([[1.5]])) = 'number' AND _logic.kind_of(typeof(DATE '2012-01-01')) = 'time'
    AND _logic.kind_of(typeof(now())) = 'time' AND _logic.kind_of(typeof('x')) = 'text' AND _logic.kind_of(typeof(NULL)) IS NULL;

SELECT 'cells of type ' || type || CASE WHEN may THEN ' may' ELSE ' do not' END || ' spell numbers or times', _logic.is_text_type(type) = may
FROM (VALUES
    ('VARCHAR', true), ('JSON', true), ('ENUM(''1'', ''2'')', true), ('ENUM(''1'', ''2'')[]', false), ('VARCHAR[]', false), ('UUID', false)
) AS t(type, may);

SELECT 'names are folded as DuckDB compares them: ' || name, _logic.folded(name) = folded
FROM (VALUES ('Age', 'age'), ('a_B 1', 'a_b 1'), ('ÜBER', 'Über'), ('İD', 'İd'), ('', '')) AS t(name, folded);

SELECT 'a path is put in quotes, a name is not: ' || name, _logic.quoted_path(name) = quoted
FROM (VALUES
    ('t', 't'), ('main.t', 'main.t'), ('"a.b"', '"a.b"'), ('data/x.parquet', '"data/x.parquet"'), ('x.parquet', '"x.parquet"'),
    ('X.CSV.GZ', '"X.CSV.GZ"'), ('c:\x', '"c:\x"'), ('parquet', 'parquet')
) AS t(name, quoted);
