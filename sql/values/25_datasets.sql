-- A dataset by its name: its columns and rows. What the caller names is looked up here, before any relation of ours has a name;
-- columns of our own are called as no column of a dataset is.

CREATE VIEW _logic.no_dataset AS
SELECT NULL::INTEGER AS nothing WHERE false;
COMMENT ON VIEW _logic.no_dataset IS 'an empty dataset';

CREATE VIEW _logic.no_sketch AS
SELECT
    NULL AS feature_id, NULL AS feature, NULL AS kind, NULL AS "values", NULL AS nulls, NULL AS k, NULL AS b, NULL AS bins,
    NULL AS counts, NULL AS effective_bins, NULL AS mean, NULL AS elements, NULL AS minhash, NULL AS spread, NULL AS partitions,
    NULL AS distincts, NULL AS skipped, NULL AS rows, NULL AS dataset_spread, NULL AS excluded, NULL AS fingerprint
WHERE false;
COMMENT ON VIEW _logic.no_sketch IS 'a sketch file without features';

CREATE MACRO _logic.reader_of(name) AS CASE
    WHEN contains(name, '"') THEN 'name'
    WHEN regexp_matches(name, '\.parquet$', 'i') THEN 'parquet'
    WHEN regexp_matches(name, '\.[ct]sv(\.(gz|zst))?$', 'i') THEN 'csv'
    WHEN regexp_matches(name, '\.(json|jsonl|ndjson)(\.(gz|zst))?$', 'i') THEN 'json'
    ELSE 'name'
END;
COMMENT ON MACRO _logic.reader_of IS 'what reads a dataset of that name: parquet, csv, json, or DuckDB as it finds the name (a table, a view, any other file)';

CREATE MACRO _logic.is_sketch_file(name) AS regexp_matches(name, '\.sketch\.parquet$', 'i');
COMMENT ON MACRO _logic.is_sketch_file IS 'whether a dataset is the sketch of one, as COPY (FROM sketch(...)) writes it, and not rows';

CREATE MACRO _logic.quoted_text(words) AS '''' || replace(words, '''', '''''') || '''';
COMMENT ON MACRO _logic.quoted_text IS 'a text as it is written in a statement';

CREATE MACRO _logic.quoted_option(value) AS coalesce(_logic.quoted_text(value::VARCHAR), 'NULL');
COMMENT ON MACRO _logic.quoted_option IS 'an option as it is written in a statement: a text, or NULL';

-- One text and not a choice among relations: DuckDB 1.4 would open the dataset as each of them.
-- Columns of all files, by name, of a type that holds all rows of all files: what follows does not depend on how they are cut.
-- A folder called run=3 makes no column: it may give away a label. A date or time is found by what the text spells.
CREATE MACRO _logic.dataset_rows(target) AS TABLE
    FROM query('FROM ' || CASE _logic.reader_of(target)
        WHEN 'parquet' THEN 'system.main.read_parquet(' || _logic.quoted_text(target)
            || ', union_by_name := true, hive_partitioning := false)'
        WHEN 'csv' THEN 'system.main.read_csv(' || _logic.quoted_text(target)
            || ', sample_size := -1, union_by_name := true, hive_partitioning := false, dateformat := ''%Y-%m-%d'', '
            || 'auto_type_candidates := [''BIGINT'', ''DOUBLE'', ''DATE'', ''VARCHAR''])'
        WHEN 'json' THEN 'system.main.read_json(' || _logic.quoted_text(target)
            || ', sample_size := -1, union_by_name := true, hive_partitioning := false)'
        ELSE 'query_table(' || _logic.quoted_text(_logic.quoted_path(target)) || ')'
    END);
COMMENT ON MACRO TABLE _logic.dataset_rows IS 'a row of a dataset as it is';

CREATE MACRO _logic.is_pattern(excluded) AS regexp_matches(excluded, '[*?\[]');
COMMENT ON MACRO _logic.is_pattern IS 'whether an exclusion is a pattern (label*, *_id) or lenient (label?): it need not be the name of a column';

CREATE MACRO _logic.excludes(excluded, name) AS
    _logic.folded(name) = _logic.folded(excluded)
    OR starts_with(_logic.folded(name), _logic.folded(excluded) || '.')
    OR (_logic.is_pattern(excluded) AND (
        _logic.folded(name) GLOB _logic.folded(excluded) OR _logic.folded(name) GLOB rtrim(_logic.folded(excluded), '?')
    ));
COMMENT ON MACRO _logic.excludes IS 'whether an exclusion means a column: its name, the struct that it is in (buyer, of buyer.age), or a pattern';

CREATE MACRO _logic.is_excluded(name,
    exclude) AS len(list_filter(exclude::VARCHAR[], lambda excluded: _logic.excludes(excluded, name))) > 0;
COMMENT ON MACRO _logic.is_excluded IS 'whether a list of exclusions means a column';

-- A text of skipped_column is its name, and why in parentheses.
CREATE MACRO _logic.most_rows_unseen(skipped, feature, kind, rows, nulls) AS CASE
    WHEN NOT starts_with(_logic.folded(skipped), _logic.folded(feature) || ' (') THEN 0
    WHEN _logic.folded(skipped) = _logic.folded(feature || CASE kind
        WHEN 'text' THEN ' (a key: each text is another)'
        WHEN 'number' THEN ' (numbers the rows)'
    END) THEN 4294967296
    -- Of so many rows five are likely to have a value.
    WHEN ends_with(skipped, ', only NULL)') AND nulls < rows THEN 5 * rows / (rows - nulls)
    ELSE 0
END;
COMMENT ON MACRO _logic.most_rows_unseen IS 'so many rows may a dataset have whose sketch left a column out, as a key or empty, and be of a table that has it; 0 where it left out another, or for another reason';

CREATE MACRO _logic.unknown_among(exclude, names) AS list_filter(
    exclude::VARCHAR[],
    lambda excluded: NOT _logic.is_pattern(excluded) AND len(list_filter(names, lambda name: _logic.excludes(excluded, name))) = 0
);
COMMENT ON MACRO _logic.unknown_among IS 'the exclusions, other than patterns, that mean none of the columns';

CREATE MACRO _logic.has_structs(target) AS TABLE
    SELECT bool_or(starts_with(type, 'STRUCT') AND NOT ends_with(type, ']')) AS nested
    FROM (UNPIVOT (SELECT typeof(COLUMNS(*)) FROM _logic.dataset_rows(target)
        LIMIT 1) ON COLUMNS(*) INTO NAME feature VALUE type);
COMMENT ON MACRO TABLE _logic.has_structs IS 'whether a column of a dataset is a struct (one row); NULL for an empty dataset';

CREATE MACRO _logic.leaves(target, exclude := [], nested := NULL) AS TABLE
    WITH whole_row AS NOT MATERIALIZED (FROM _logic.dataset_rows(target)),
    -- Planning leaves takes the square of the number of columns, a second for a thousand.
    all_row AS NOT MATERIALIZED (
        FROM query(CASE
            WHEN coalesce(nested, true) AND _logic.has_leaves()
                THEN 'SELECT unnest("_modelhub leaves 5f1c", recursive := true, keep_parent_names := true) '
                || 'FROM whole_row AS "_modelhub leaves 5f1c"'
            ELSE 'FROM whole_row'
        END)
    ),
    kept_row AS NOT MATERIALIZED (SELECT COLUMNS(lambda c: NOT _logic.is_excluded(c, exclude)) FROM all_row)
    FROM query_table(CASE WHEN len(coalesce(exclude::VARCHAR[], [])) > 0 THEN 'kept_row' ELSE 'all_row' END);
COMMENT ON MACRO TABLE _logic.leaves IS 'a row of a dataset without the excluded columns; a struct is replaced by its leaves, called by their path; nested: whether there are structs, NULL: not known';

CREATE MACRO _logic.unknown_columns(target, exclude, nested := NULL) AS TABLE
    SELECT unnest(_logic.unknown_among(exclude, names)) AS excluded
    FROM (
        SELECT list(name) AS names
        FROM (
            UNPIVOT (
                SELECT typeof(COLUMNS(*))
                FROM _logic.leaves(CASE WHEN len(exclude) > 0 THEN target ELSE '_logic.no_dataset' END, nested := nested)
                LIMIT 1
            ) ON COLUMNS(*) INTO NAME name VALUE type
        )
    )
    WHERE names IS NOT NULL;
COMMENT ON MACRO TABLE _logic.unknown_columns IS 'a name among the excluded that no column of the dataset has; no rows for an empty dataset';

CREATE MACRO _logic.form_of(type) AS
    CASE WHEN _logic.kind_of(type) = 'number' AND _logic.list_depth(type) > 0 THEN 'list' ELSE _logic.kind_of(type) END;
COMMENT ON MACRO _logic.form_of IS 'form of the cells of a type: number, time, list or text; NULL for a type that cannot be compared';

CREATE MACRO _logic.dataset_columns(target, exclude := [], nested := NULL) AS TABLE
    SELECT row_number() OVER ()::USMALLINT AS feature_id, feature, type, _logic.kind_of(type) AS kind,
        _logic.form_of(type) AS form
    FROM (
        UNPIVOT (
            SELECT typeof(COLUMNS(*)) FROM _logic.leaves(target, exclude := exclude, nested := nested) LIMIT 1
        ) ON COLUMNS(*) INTO NAME feature VALUE type
    );
COMMENT ON MACRO TABLE _logic.dataset_columns IS 'a column of a dataset (a leaf, for a struct), its type, the kind of its type, and the form of its cells (number, time, list or text); no rows for an empty dataset';

-- Rows are numbered before they are checked: with a subquery below, DuckDB 1.5 numbers chunks as they come.
CREATE MACRO _logic.numbered_rows(target, exclude := [], nested := NULL) AS TABLE
    SELECT numbered.*
    FROM (
        SELECT row_number() OVER () - 1 AS "_modelhub row 5f1c", *
            FROM _logic.leaves(target, exclude := exclude, nested := nested)
    ) AS numbered
    WHERE (
        SELECT count(error('DatasetError: ' || target || ' has no column ' || excluded || ' to exclude')) = 0
        FROM _logic.unknown_columns(target, exclude, nested := nested)
    );
COMMENT ON MACRO TABLE _logic.numbered_rows IS 'a row of a dataset, after its number from 0';

CREATE MACRO _logic.stride(rows) AS list_min(list_filter(
    -- Of 100 successive numbers one is coprime to any number below 2^64, which has at most 15 different primes.
    list_transform(range(100), lambda step: greatest(1, floor(rows * 0.6180339887498949e0)::BIGINT) + step),
    lambda n: gcd(n, rows) = 1
));
COMMENT ON MACRO _logic.stride IS 'the first number from rows / golden ratio on that is coprime to rows: steps of it visit every row once, evenly';
