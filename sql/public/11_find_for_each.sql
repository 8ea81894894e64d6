-- a model related to one of many targets, which has its own best first: what find_models says of it, after the target
-- example: SELECT * FROM find_for_each(['target.parquet', 'other.parquet'], exclude := ['label'])
CREATE MACRO find_for_each(
    targets, exclude := [], top := 3, task := NULL, framework := NULL, latest := NULL, features := NULL, min_overlap := NULL,
    rank_by := NULL
) AS TABLE
-- The table of a macro is known when a query is planned: each target has a search of its own.
FROM query(CASE
    WHEN len(targets::VARCHAR[]) = 0 THEN 'SELECT error(''OptionError: targets must be a list of datasets, got []'')'
    ELSE array_to_string(list_transform(
        targets::VARCHAR[],
        lambda target: 'SELECT ' || _logic.quoted_text(target) || ' AS target, * FROM main.find_models('
            || _logic.quoted_text(target) || ', exclude := ['
            || array_to_string(list_transform(exclude::VARCHAR[], lambda name: _logic.quoted_text(name)), ', ')
            || '], top := ' || _logic.quoted_option(top) || ', task := ' || _logic.quoted_option(task)
            || ', framework := ' || _logic.quoted_option(framework) || ', latest := ' || _logic.quoted_option(latest)
            || ', features := ' || _logic.quoted_option(features) || ', min_overlap := ' || _logic.quoted_option(min_overlap)
            || ', rank_by := ' || _logic.quoted_option(rank_by) || ')'
    ), ' UNION ALL ')
END)
