-- The digest of the logic that a hub's file carries (one row). It is good when docs/digests.csv of the release has it in a
-- line whose read_by is your DuckDB (docs/strangers.md).
--
--     ATTACH 'of_a_stranger.duckdb' AS hub (READ_ONLY);      -- and no USE
--     .read digest.sql
--
-- In a shell that has opened the file itself: SET VARIABLE hub = current_database(); before.
-- Only the catalog is read, nothing of the file is bound or run. Every function has its schema and there is no operator
-- but comparisons, so that no macro of the file can answer in place of DuckDB.
WITH attached AS (
    SELECT coalesce(system.main.getvariable('hub'), 'hub') AS name
),
stored AS (
    SELECT
        schema_name, function_name AS object, CAST(function_type AS VARCHAR) AS kind,
        system.main.array_to_string(parameters, ', ') AS arguments, macro_definition AS definition
    FROM system.main.duckdb_functions()
    WHERE database_name = (SELECT name FROM attached) AND NOT internal
    UNION ALL
    SELECT schema_name, view_name, 'view', NULL, sql
    FROM system.main.duckdb_views()
    WHERE database_name = (SELECT name FROM attached) AND NOT internal
    UNION ALL
    SELECT schema_name, table_name, 'table', NULL, sql
    FROM system.main.duckdb_tables()
    WHERE database_name = (SELECT name FROM attached) AND NOT internal
    UNION ALL
    SELECT schema_name, index_name, 'index', table_name, sql
    FROM system.main.duckdb_indexes()
    WHERE database_name = (SELECT name FROM attached)
    UNION ALL
    SELECT schema_name, sequence_name, 'sequence', NULL, sql
    FROM system.main.duckdb_sequences()
    WHERE database_name = (SELECT name FROM attached)
    UNION ALL
    SELECT schema_name, type_name, 'type', NULL, CAST(labels AS VARCHAR)
    FROM system.main.duckdb_types()
    WHERE database_name = (SELECT name FROM attached) AND NOT internal
),
-- The format is another in every hub: its numbers and texts are left out, and how often a part of these is repeated.
parts AS (
    SELECT
        schema_name, object, kind, arguments, definition,
        system.main.list_sort(system.main.list_distinct(system.main.string_split(
            system.main.regexp_replace(
                system.main.regexp_replace(
                    system.main.regexp_replace(
                        system.main.concat_ws(' ', '', definition, ''), '''(?:[^'']|'''')*''|\bNULL\b', '0', 'g'
                    ),
                    '(?:CAST\()?-?\b[0-9][0-9.]*(?:e[-+]?[0-9]+)?\b(?: AS [A-Z]+\))?', '0', 'g'
                ),
                '[\[\](),;-]| NOT 0|(?:main\.)?list_value', ' ', 'g'
            ),
            ' '
        )), 'ASC') AS words
    FROM stored
),
object AS (
    SELECT
        schema_name, object, kind, arguments,
        CASE
            -- A constant, or what is made of constants: minhash_agg of the functions.
            WHEN (schema_name = '_format' AND arguments = '') OR object = 'minhash_agg'
                OR (schema_name = '_hub' AND object = 'format')
                THEN system.main.array_to_string(words, ' ')
            ELSE definition
        END AS definition
    FROM parts
)
SELECT
    system.main.version() AS read_by,
    system.main.sha256(system.main.string_agg(
        system.main.sha256(system.main.concat_ws(system.main.chr(10), schema_name, object, kind, coalesce(arguments, '-'), definition)),
        ',' ORDER BY schema_name ASC, object ASC, kind ASC, arguments ASC NULLS FIRST, definition ASC
    )) AS digest
FROM object;
