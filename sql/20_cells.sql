-- dataset -> cells. A row is a cell of the dataset: one column of one row, in the partition
-- that the row falls into (Def. 2).

CREATE MACRO element_type(type) AS regexp_replace(type, '(\[[0-9]*\])+$', '');
COMMENT ON MACRO element_type IS 'type of the elements of a (nested) list; any other type itself';

CREATE MACRO list_depth(type) AS len(regexp_replace(regexp_extract(type, '(\[[0-9]*\])+$'), '[^\[]', '', 'g'));
COMMENT ON MACRO list_depth IS 'how deep the lists of a type are nested; 0 for a type that is no list';

CREATE MACRO kind_of(type) AS CASE
    WHEN element_type(type) IN ('BLOB', 'GEOMETRY', '"NULL"', 'NULL') THEN NULL
    WHEN regexp_full_match(element_type(type), 'U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BIGNUM|FLOAT|DOUBLE|DECIMAL\(.*\)')
     AND list_depth(type) <= 3 THEN 'number'
    WHEN regexp_full_match(type, 'DATE|TIME[ A-Z_]*|INTERVAL') THEN 'time'
    ELSE 'text'
END;
COMMENT ON MACRO kind_of IS 'kind of a column of a type: number, time or text; NULL for a type that cannot be compared';

CREATE MACRO leaves(target, exclude := []) AS TABLE
    SELECT unnest("the row", recursive := true)
    FROM (
        SELECT COLUMNS(lambda c: NOT list_contains(list_transform(exclude::VARCHAR[], lambda e: lower(e)), lower(c)))
        FROM query_table(target)
    ) AS "the row";
COMMENT ON MACRO TABLE leaves IS 'a row of a dataset without the excluded columns; a struct is replaced by its leaves';

CREATE MACRO dataset_columns(target, exclude := []) AS TABLE
    SELECT row_number() OVER ()::USMALLINT AS feature_id, feature, type, kind_of(type) AS kind
    FROM (
        UNPIVOT (
            SELECT any_value(typeof(COLUMNS(*))) FROM (FROM leaves(target, exclude := exclude) LIMIT 1)
        ) ON COLUMNS(*) INTO NAME feature VALUE type
    );
COMMENT ON MACRO TABLE dataset_columns IS 'a column of a dataset (a leaf, for a struct), its type and kind; no rows for an empty dataset';

CREATE MACRO time_value(x) AS CASE
    WHEN typeof(x) = 'INTERVAL' THEN epoch(TRY_CAST(x AS INTERVAL)) / 3600
    WHEN typeof(x) LIKE 'TIME%' AND typeof(x) NOT LIKE 'TIMESTAMP%' THEN epoch(TRY_CAST(x AS TIME)) / 3600
    WHEN isfinite(TRY_CAST(x AS TIMESTAMP)) THEN (epoch(TRY_CAST(x AS TIMESTAMP)) - 1262304000) / 31557600
    WHEN TRY_CAST(x AS TIMESTAMP) > TIMESTAMP '2000-01-01' THEN 'inf'::DOUBLE
    WHEN TRY_CAST(x AS TIMESTAMP) < TIMESTAMP '2000-01-01' THEN '-inf'::DOUBLE
END;
COMMENT ON MACRO time_value IS 'a date or timestamp in years since 2010, a time of day or interval in hours';

CREATE MACRO list_value_of(x) AS CASE list_depth(typeof(x))
    WHEN 1 THEN TRY_CAST(x AS DOUBLE[])
    WHEN 2 THEN flatten(TRY_CAST(x AS DOUBLE[][]))
    WHEN 3 THEN flatten(flatten(TRY_CAST(x AS DOUBLE[][][])))
END;
COMMENT ON MACRO list_value_of IS 'the numbers of a list nested up to three deep (an image, an embedding)';

CREATE MACRO text_value(x) AS CASE
    WHEN list_depth(typeof(x)) = 1 THEN array_to_string(TRY_CAST(x AS VARCHAR[]), ' ')
    ELSE TRY_CAST(x AS VARCHAR)
END;
COMMENT ON MACRO text_value IS 'a value as text; the elements of a list one after the other';

CREATE MACRO stride(rows) AS (
    SELECT min(step) FROM range(greatest(1, floor(rows * 0.6180339887498949e0)::BIGINT), rows + 2) AS t(step) WHERE gcd(step, rows) = 1
);
COMMENT ON MACRO stride IS 'the first number from rows / golden ratio on that is coprime to rows: steps of it visit every row once, evenly';

CREATE MACRO cells(target, exclude := []) AS TABLE
    WITH numbered AS MATERIALIZED (
        SELECT row_number() OVER () - 1 AS "row", * FROM leaves(target, exclude := exclude)
    ),
    layout AS MATERIALIZED (
        SELECT count(*) AS rows FROM numbered
    ),
    permutation AS MATERIALIZED (
        SELECT
            greatest(rows, 1) AS rows,
            CASE hub_partitioning() WHEN 'sequential' THEN 1 ELSE stride(rows) END AS stride,
            CASE hub_partitioning() WHEN 'sequential' THEN 0 ELSE hub_seed() END AS shift
        FROM layout
    ),
    typed AS (
        SELECT "row", struct_pack(
            num := CASE
                WHEN kind_of(typeof(COLUMNS(* EXCLUDE "row"))) = 'number' AND list_depth(typeof(COLUMNS(* EXCLUDE "row"))) = 0
                    THEN TRY_CAST(COLUMNS(* EXCLUDE "row") AS DOUBLE)
            END,
            tim := CASE WHEN kind_of(typeof(COLUMNS(* EXCLUDE "row"))) = 'time' THEN time_value(COLUMNS(* EXCLUDE "row")) END,
            nums := CASE WHEN kind_of(typeof(COLUMNS(* EXCLUDE "row"))) = 'number' THEN list_value_of(COLUMNS(* EXCLUDE "row")) END,
            txt := CASE WHEN kind_of(typeof(COLUMNS(* EXCLUDE "row"))) = 'text' THEN text_value(COLUMNS(* EXCLUDE "row")) END
        )
        FROM numbered
    ),
    listed AS (
        SELECT "row", [*COLUMNS(* EXCLUDE "row")] AS row_cells FROM typed
    )
    SELECT
        (((listed."row" * p.stride + p.shift) % p.rows) // hub_partition_size())::UINTEGER AS partition_id,
        generate_subscripts(row_cells, 1)::USMALLINT AS feature_id,
        unnest(row_cells) AS cell
    FROM listed, permutation AS p;
COMMENT ON MACRO TABLE cells IS 'a cell of a dataset: partition, feature and one of num (number), nums (list of numbers), tim (time) or txt';
