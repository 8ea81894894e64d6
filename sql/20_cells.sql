-- dataset -> cells. A row is a cell of the dataset: one column of one row, in the partition
-- that the row falls into (Def. 2). Numbers and times, lists of numbers, and texts are taken
-- apart in four macros of the same form, because one column of SQL has one type.

CREATE MACRO element_type(type) AS rtrim(type, '[]0123456789');
COMMENT ON MACRO element_type IS 'type of the elements of a (nested) list; any other type itself';

CREATE MACRO list_depth(type) AS
    len(substr(type, len(element_type(type)) + 1)) - len(replace(substr(type, len(element_type(type)) + 1), '[', ''));
COMMENT ON MACRO list_depth IS 'how deep the lists of a type are nested; 0 for a type that is no list';

CREATE MACRO is_number_type(type) AS list_contains(
    [
        'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT',
        'BIGNUM', 'FLOAT', 'DOUBLE', 'DECIMAL'
    ],
    rtrim(type, '(0123456789,)')
);
COMMENT ON MACRO is_number_type IS 'whether a type is one of numbers';

CREATE MACRO is_time_type(type) AS
    type IN ('DATE', 'INTERVAL') OR (type LIKE 'TIME%' AND type NOT LIKE '%]');
COMMENT ON MACRO is_time_type IS 'whether a type is a date, time of day, timestamp or interval';

CREATE MACRO kind_of(type) AS CASE
    WHEN element_type(type) IN ('BLOB', 'GEOMETRY', '"NULL"', 'NULL') THEN NULL
    WHEN is_number_type(element_type(type)) AND list_depth(type) <= 3 THEN 'number'
    WHEN is_time_type(type) THEN 'time'
    ELSE 'text'
END;
COMMENT ON MACRO kind_of IS 'kind of a column of a type: number, time or text; NULL for a type that cannot be compared';

CREATE MACRO folded(name) AS CASE
    -- Where all letters are of ASCII it is the same, and much faster.
    WHEN strlen(name) = length(name) THEN lower(name)
    ELSE translate(name, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
END;
COMMENT ON MACRO folded IS 'a name in lower case as DuckDB compares names: the letters of ASCII only, so that no two columns of a table share one';

CREATE MACRO quoted_path(name) AS CASE
    WHEN contains(name, '"') THEN name
    WHEN contains(name, '/') OR contains(name, '\') OR regexp_matches(name, '\.(parquet|csv|tsv|json|jsonl|ndjson)(\.(gz|zst))?$', 'i')
        THEN '"' || name || '"'
    ELSE name
END;
COMMENT ON MACRO quoted_path IS 'name of a dataset for query_table: a path in quotes, or DuckDB 1.x takes its dots for those between database, schema and table';

CREATE MACRO has_structs(target) AS TABLE
    SELECT bool_or(starts_with(type, 'STRUCT')) AS nested
    FROM (UNPIVOT (SELECT typeof(COLUMNS(*)) FROM query_table(quoted_path(target)) LIMIT 1) ON COLUMNS(*) INTO NAME feature VALUE type);
COMMENT ON MACRO TABLE has_structs IS 'whether a column of a dataset is a struct (one row); NULL for an empty dataset';

CREATE MACRO leaves(target, exclude := [], nested := NULL) AS TABLE
    WITH kept_row AS NOT MATERIALIZED (
        SELECT COLUMNS(lambda c: NOT list_contains(list_transform(coalesce(exclude::VARCHAR[], []), lambda e: folded(e)), folded(c)))
        FROM query_table(quoted_path(target))
    ),
    -- Planning it takes the square of the number of columns, a second for a thousand.
    leaf_row AS NOT MATERIALIZED (SELECT unnest("modelhub leaves", recursive := true) FROM kept_row AS "modelhub leaves")
    FROM query_table(CASE WHEN coalesce(nested, true) THEN 'leaf_row' ELSE 'kept_row' END);
COMMENT ON MACRO TABLE leaves IS 'a row of a dataset without the excluded columns; a struct is replaced by its leaves; nested: whether there are structs, NULL: not known';

CREATE MACRO unknown_columns(target, exclude) AS TABLE
    SELECT excluded
    FROM (SELECT unnest(exclude::VARCHAR[]) AS excluded), (
        SELECT list(folded(name)) AS names
        FROM (
            UNPIVOT (
                SELECT typeof(COLUMNS(*)) FROM query_table(CASE WHEN len(exclude) > 0 THEN quoted_path(target) ELSE 'no_dataset' END) LIMIT 1
            ) ON COLUMNS(*) INTO NAME name VALUE type
        )
    )
    WHERE NOT list_contains(names, folded(excluded));
COMMENT ON MACRO TABLE unknown_columns IS 'a name among the excluded that no column of the dataset has; no rows for an empty dataset';

CREATE MACRO dataset_columns(target, exclude := [], nested := NULL) AS TABLE
    SELECT
        row_number() OVER ()::USMALLINT AS feature_id, feature, type, kind_of(type) AS kind,
        CASE WHEN kind = 'number' AND list_depth(type) > 0 THEN 'list' ELSE kind END AS form
    FROM (
        UNPIVOT (
            SELECT typeof(COLUMNS(*)) FROM leaves(target, exclude := exclude, nested := nested) LIMIT 1
        ) ON COLUMNS(*) INTO NAME feature VALUE type
    );
COMMENT ON MACRO TABLE dataset_columns IS 'a column of a dataset (a leaf, for a struct), its type, its kind, and the form of its cells (number, time, list or text); no rows for an empty dataset';

CREATE MACRO numbered_rows(target, exclude := [], nested := NULL) AS TABLE
    SELECT row_number() OVER () - 1 AS "modelhub row", *
    FROM leaves(target, exclude := exclude, nested := nested)
    WHERE (
        SELECT count(error('DatasetError: ' || target || ' has no column ' || excluded || ' to exclude')) = 0
        FROM unknown_columns(target, exclude)
    );
COMMENT ON MACRO TABLE numbered_rows IS 'a row of a dataset, after its number from 0';

CREATE MACRO stride(rows) AS list_min(list_filter(
    -- Of 100 successive numbers one is coprime to any number below 2^64, which has at most 15 different primes.
    list_transform(range(100), lambda step: greatest(1, floor(rows * 0.6180339887498949e0)::BIGINT) + step),
    lambda n: gcd(n, rows) = 1
));
COMMENT ON MACRO stride IS 'the first number from rows / golden ratio on that is coprime to rows: steps of it visit every row once, evenly';

CREATE MACRO row_permutation(numbered) AS TABLE
    WITH layout AS MATERIALIZED (
        SELECT greatest(count(*), 1) AS rows FROM query_table(numbered)
    )
    SELECT
        rows,
        CASE hub_partitioning() WHEN 'sequential' THEN 1 ELSE stride(rows) END AS stride,
        CASE hub_partitioning() WHEN 'sequential' THEN 0 ELSE hub_seed() END AS shift
    FROM layout;
COMMENT ON MACRO TABLE row_permutation IS 'how the rows of a dataset are shuffled: row r is number (r * stride + shift) mod rows (one row)';

CREATE MACRO partitioned_rows(numbered, permutation) AS TABLE
    SELECT
        (((n."modelhub row" * p.stride + p.shift) % p.rows) // hub_partition_size())::UINTEGER AS "modelhub partition",
        n.* EXCLUDE ("modelhub row")
    FROM query_table(numbered) AS n, query_table(permutation) AS p;
COMMENT ON MACRO TABLE partitioned_rows IS 'a row of a dataset, after the partition that it falls into';

CREATE MACRO time_value(x) AS CASE
    WHEN typeof(x) = 'INTERVAL' THEN epoch(TRY_CAST(x AS INTERVAL)) / 3600
    WHEN starts_with(typeof(x), 'TIME') AND NOT starts_with(typeof(x), 'TIMESTAMP') THEN epoch(TRY_CAST(x AS TIME)) / 3600
    ELSE coalesce(
        -- NULL for an infinite time. An instant is one number, whatever the time zone of the session.
        (CASE typeof(x)
            WHEN 'TIMESTAMP WITH TIME ZONE' THEN epoch(TRY_CAST(x AS TIMESTAMPTZ))
            ELSE epoch(TRY_CAST(x AS TIMESTAMP))
        END - 1262304000) / 31557600,
        -- A date may lie farther away than a timestamp can.
        CASE
            WHEN coalesce(TRY_CAST(x AS TIMESTAMP) > TIMESTAMP '2000-01-01', TRY_CAST(x AS DATE) > DATE '2000-01-01') THEN 'inf'::DOUBLE
            WHEN x IS NOT NULL THEN '-inf'::DOUBLE
        END
    )
END;
COMMENT ON MACRO time_value IS 'a date or timestamp in years since 2010, a time of day or interval in hours';

CREATE MACRO number_of(x) AS CASE WHEN is_number_type(typeof(x)) THEN TRY_CAST(x AS DOUBLE) END;
COMMENT ON MACRO number_of IS 'a number; NULL for any other type';

CREATE MACRO time_of(x) AS CASE WHEN is_time_type(typeof(x)) THEN time_value(x) END;
COMMENT ON MACRO time_of IS 'a time as a number; NULL for any other type';

CREATE MACRO numbers_of(x) AS CASE
    WHEN NOT is_number_type(element_type(typeof(x))) THEN NULL
    WHEN typeof(x) LIKE '%][%][%][%]' THEN NULL
    WHEN typeof(x) LIKE '%][%][%]' THEN flatten(flatten(TRY_CAST(x AS DOUBLE[][][])))
    WHEN typeof(x) LIKE '%][%]' THEN flatten(TRY_CAST(x AS DOUBLE[][]))
    WHEN typeof(x) LIKE '%]' THEN TRY_CAST(x AS DOUBLE[])
END;
COMMENT ON MACRO numbers_of IS 'the numbers of a list nested up to three deep (an image, an embedding); NULL for any other type';

CREATE MACRO text_of(x) AS CASE
    WHEN is_number_type(element_type(typeof(x))) AND typeof(x) NOT LIKE '%][%][%][%]' THEN NULL
    WHEN is_time_type(typeof(x)) THEN NULL
    WHEN typeof(x) LIKE '%]' AND typeof(x) NOT LIKE '%][%]' THEN array_to_string(TRY_CAST(x AS VARCHAR[]), ' ')
    ELSE TRY_CAST(x AS VARCHAR)
END;
COMMENT ON MACRO text_of IS 'any other value as text; the elements of a list one after the other';

CREATE MACRO number_rows(partitioned, columns) AS TABLE
    SELECT "modelhub partition", number_of(COLUMNS(* EXCLUDE "modelhub partition"))
    FROM query_table(partitioned)
    WHERE (SELECT count(*) > 0 FROM query_table(columns) WHERE form = 'number');
COMMENT ON MACRO TABLE number_rows IS 'a row of a dataset, its columns as numbers, after its partition; NULL in a column that is none of numbers';

CREATE MACRO number_cells(partitioned, columns) AS TABLE
    WITH listed AS (
        SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells
        FROM number_rows(partitioned, columns)
    )
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed;
COMMENT ON MACRO TABLE number_cells IS 'a cell of a dataset as a number; NULL, too, in a column that is none of numbers';

CREATE MACRO time_cells(partitioned, columns) AS TABLE
    WITH typed AS (
        SELECT "modelhub partition", time_of(COLUMNS(* EXCLUDE "modelhub partition"))
        FROM query_table(partitioned)
        WHERE (SELECT count(*) > 0 FROM query_table(columns) WHERE form = 'time')
    ),
    listed AS (
        SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM typed
    )
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed;
COMMENT ON MACRO TABLE time_cells IS 'a cell of a dataset as a time; NULL, too, in a column that is none of times';

CREATE MACRO list_cells(partitioned, columns) AS TABLE
    WITH typed AS (
        SELECT "modelhub partition", numbers_of(COLUMNS(* EXCLUDE "modelhub partition"))
        FROM query_table(partitioned)
        WHERE (SELECT count(*) > 0 FROM query_table(columns) WHERE form = 'list')
    ),
    listed AS (
        SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM typed
    ),
    cell AS (
        SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "values" FROM listed
    )
    SELECT partition_id, feature_id, unnest(CASE WHEN len("values") > 0 THEN "values" ELSE [NULL] END) AS "value" FROM cell;
COMMENT ON MACRO TABLE list_cells IS 'a number of a cell that is a list; one NULL for a cell that is NULL, empty or no list';

CREATE MACRO text_cells(partitioned, columns) AS TABLE
    WITH typed AS (
        SELECT "modelhub partition", text_of(COLUMNS(* EXCLUDE "modelhub partition"))
        FROM query_table(partitioned)
        WHERE (SELECT count(*) > 0 FROM query_table(columns) WHERE form = 'text')
    ),
    listed AS (
        SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM typed
    )
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed;
COMMENT ON MACRO TABLE text_cells IS 'a cell of a dataset as text; NULL, too, in a column that is none of texts';
