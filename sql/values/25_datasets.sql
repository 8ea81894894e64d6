-- A dataset by its name: its columns and rows. What the caller names is looked up here, before any relation of ours has a name.

CREATE VIEW _logic.no_dataset AS
SELECT NULL::INTEGER AS nothing WHERE false;
COMMENT ON VIEW _logic.no_dataset IS 'an empty dataset';

CREATE MACRO _logic.has_structs(target) AS TABLE
    SELECT bool_or(starts_with(type, 'STRUCT')) AS nested
    FROM (UNPIVOT (SELECT typeof(COLUMNS(*)) FROM query_table(_logic.quoted_path(target)) LIMIT 1) ON COLUMNS(*) INTO NAME feature VALUE type);
COMMENT ON MACRO TABLE _logic.has_structs IS 'whether a column of a dataset is a struct (one row); NULL for an empty dataset';

CREATE MACRO _logic.leaves(target, exclude := [], nested := NULL) AS TABLE
    WITH kept_row AS NOT MATERIALIZED (
        SELECT COLUMNS(lambda c: NOT list_contains(list_transform(coalesce(exclude::VARCHAR[], []), lambda e: _logic.folded(e)), _logic.folded(c)))
        FROM query_table(_logic.quoted_path(target))
    ),
    -- Planning it takes the square of the number of columns, a second for a thousand.
    leaf_row AS NOT MATERIALIZED (SELECT unnest("modelhub leaves", recursive := true) FROM kept_row AS "modelhub leaves")
    FROM query_table(CASE WHEN coalesce(nested, true) THEN 'leaf_row' ELSE 'kept_row' END);
COMMENT ON MACRO TABLE _logic.leaves IS 'a row of a dataset without the excluded columns; a struct is replaced by its leaves; nested: whether there are structs, NULL: not known';

CREATE MACRO _logic.unknown_columns(target, exclude) AS TABLE
    SELECT excluded
    FROM (SELECT unnest(exclude::VARCHAR[]) AS excluded), (
        SELECT list(_logic.folded(name)) AS names
        FROM (
            UNPIVOT (
                SELECT typeof(COLUMNS(*)) FROM query_table(CASE WHEN len(exclude) > 0 THEN _logic.quoted_path(target) ELSE '_logic.no_dataset' END) LIMIT 1
            ) ON COLUMNS(*) INTO NAME name VALUE type
        )
    )
    WHERE NOT list_contains(names, _logic.folded(excluded));
COMMENT ON MACRO TABLE _logic.unknown_columns IS 'a name among the excluded that no column of the dataset has; no rows for an empty dataset';

CREATE MACRO _logic.dataset_columns(target, exclude := [], nested := NULL) AS TABLE
    SELECT
        row_number() OVER ()::USMALLINT AS feature_id, feature, type, _logic.kind_of(type) AS kind,
        CASE WHEN kind = 'number' AND _logic.list_depth(type) > 0 THEN 'list' ELSE kind END AS form
    FROM (
        UNPIVOT (
            SELECT typeof(COLUMNS(*)) FROM _logic.leaves(target, exclude := exclude, nested := nested) LIMIT 1
        ) ON COLUMNS(*) INTO NAME feature VALUE type
    );
COMMENT ON MACRO TABLE _logic.dataset_columns IS 'a column of a dataset (a leaf, for a struct), its type, its kind, and the form of its cells (number, time, list or text); no rows for an empty dataset';

CREATE MACRO _logic.numbered_rows(target, exclude := [], nested := NULL) AS TABLE
    SELECT row_number() OVER () - 1 AS "modelhub row", *
    FROM _logic.leaves(target, exclude := exclude, nested := nested)
    WHERE (
        SELECT count(error('DatasetError: ' || target || ' has no column ' || excluded || ' to exclude')) = 0
        FROM _logic.unknown_columns(target, exclude)
    );
COMMENT ON MACRO TABLE _logic.numbered_rows IS 'a row of a dataset, after its number from 0';

CREATE MACRO _logic.stride(rows) AS list_min(list_filter(
    -- Of 100 successive numbers one is coprime to any number below 2^64, which has at most 15 different primes.
    list_transform(range(100), lambda step: greatest(1, floor(rows * 0.6180339887498949e0)::BIGINT) + step),
    lambda n: gcd(n, rows) = 1
));
COMMENT ON MACRO _logic.stride IS 'the first number from rows / golden ratio on that is coprime to rows: steps of it visit every row once, evenly';

CREATE MACRO _logic.distincts(target, exclude := [], nested := NULL) AS TABLE
    SELECT row_number() OVER ()::USMALLINT AS feature_id, distincts
    FROM (
        UNPIVOT (SELECT approx_count_distinct(COLUMNS(*)) FROM _logic.leaves(target, exclude := exclude, nested := nested))
        ON COLUMNS(*) INTO NAME feature VALUE distincts
    );
COMMENT ON MACRO TABLE _logic.distincts IS 'a column of a dataset and an estimate of its distinct values';
