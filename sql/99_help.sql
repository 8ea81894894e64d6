-- What is in the hub, from its own catalog.

CREATE VIEW help AS
    SELECT 'table' AS kind, table_name AS name, NULL::VARCHAR[] AS parameters, comment FROM duckdb_tables()
    WHERE NOT internal AND NOT temporary AND database_name = current_database()
    UNION ALL
    SELECT 'view', view_name, NULL, comment FROM duckdb_views()
    WHERE NOT internal AND NOT temporary AND database_name = current_database()
    UNION ALL
    SELECT replace(function_type, '_', ' '), function_name, parameters, comment FROM duckdb_functions()
    WHERE NOT internal AND function_type IN ('macro', 'table_macro') AND database_name = current_database()
    ORDER BY 1, 2;
COMMENT ON VIEW help IS 'an object of the hub: what it is called, takes and is';

CREATE VIEW hidden_names AS
    WITH named AS (
        SELECT lower(table_name) AS name, temporary, database_name, comment FROM duckdb_tables()
        UNION ALL
        SELECT lower(view_name), temporary, database_name, comment FROM duckdb_views()
    )
    SELECT name FROM named WHERE temporary
    -- What the hub has is commented; tables that its user has put beside are not.
    INTERSECT
    SELECT name FROM named WHERE database_name = current_database() AND comment IS NOT NULL
    ORDER BY name;
COMMENT ON VIEW hidden_names IS 'a table or view of the hub that a temporary one of this connection hides: DuckDB looks there first, in stored SQL too';
