-- Readers that DuckDB-Wasm would fetch from elsewhere: the SQL of a sketch names them, so that they must be there; the page calls
-- none, for a parquet file is a table when its sketch is made.
CREATE MACRO modelhub_logic.main.read_parquet(file, union_by_name := NULL, hive_partitioning := NULL) AS TABLE
SELECT
    NULL::USMALLINT AS feature_id, NULL::VARCHAR AS feature, NULL::VARCHAR AS kind, NULL::UBIGINT AS "values",
    NULL::UBIGINT AS nulls, NULL::SMALLINT AS k, NULL::SMALLINT AS b, NULL::DOUBLE[] AS bins, NULL::UBIGINT[] AS counts,
    NULL::DOUBLE AS effective_bins, NULL::DOUBLE AS mean, NULL::UINTEGER AS elements, NULL::UINTEGER[] AS minhash,
    NULL::DOUBLE AS spread, NULL::UINTEGER[][] AS partitions, NULL::UBIGINT AS distincts, NULL::VARCHAR[] AS skipped,
    NULL::UBIGINT AS rows, NULL::DOUBLE AS dataset_spread, NULL::VARCHAR[] AS excluded, NULL::VARCHAR AS fingerprint
WHERE false;
CREATE MACRO modelhub_logic.main.read_json(file, sample_size := NULL, union_by_name := NULL, hive_partitioning := NULL) AS TABLE
SELECT NULL::INTEGER AS nothing WHERE false;
-- So is json, which aliases of models are kept in; the page asks for none.
CREATE MACRO modelhub_logic.main.json_valid(content) AS false;
CREATE MACRO modelhub_logic.main.json_extract_string(content, path) AS NULL::VARCHAR[];
