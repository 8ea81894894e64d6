-- Claims of sql/99_help.sql.

SELECT 'no object of the hub is without a comment: ' || kind || ' ' || name, comment IS NOT NULL AND comment <> '' FROM help;

SELECT 'every macro says what it takes', bool_and(parameters IS NOT NULL) AND count(*) > 30 FROM help WHERE kind LIKE '%macro';

SELECT 'no temporary object is listed', count(*) = 0 FROM help WHERE name LIKE 'modelhub_%';

SELECT 'the objects that a person looks for are there', list_has_all(
    (SELECT list(name) FROM help),
    ['find_models', 'explain_features', 'explain_partitions', 'list_models', 'settings', 'verbs', 'feature_matches', 'target_coverage']
);
