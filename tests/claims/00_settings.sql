-- Claims of sql/00_settings.sql.

SELECT 'a hub has one row of settings', (SELECT count(*) FROM settings) = 1;

SELECT 'every setting says what it is', count(*) = 0
FROM duckdb_columns()
WHERE database_name = current_database() AND table_name = 'settings' AND comment IS NULL;

SELECT 'every dataset was sketched with the settings of the hub', bool_and(fingerprint = settings_fingerprint()) AND count(*) > 1
FROM datasets;

SELECT 'the default thresholds are in their ranges',
    min_overlap BETWEEN 0 AND 1 AND min_jaccard BETWEEN 0 AND 1 AND coalesce(max_js BETWEEN 0 AND ln(2), true) AND min_adaptivity >= 0
FROM settings;

SELECT 'all kinds of bins fit a USMALLINT, and none is the bin of what is missing',
    first_bin('text') + text_bins <= 65535
FROM settings;
