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
