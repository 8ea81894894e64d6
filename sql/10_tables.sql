-- What a hub stores: models, and the sketches of the datasets that they were trained on
-- (sections 3.3 and 3.4).

CREATE TABLE datasets (
    dataset_id    UINTEGER PRIMARY KEY,
    dataset       VARCHAR NOT NULL,
    rows          UBIGINT NOT NULL,
    partitions    UINTEGER NOT NULL,
    source        VARCHAR NOT NULL,
    excluded      VARCHAR[] NOT NULL,
    registered_at TIMESTAMP NOT NULL,
    fingerprint   VARCHAR NOT NULL,
    spread        DOUBLE NOT NULL
);
COMMENT ON TABLE datasets IS 'a sketched training dataset';
COMMENT ON COLUMN datasets.dataset_id IS 'number of the dataset, from 1';
COMMENT ON COLUMN datasets.dataset IS 'name of the dataset; by default that of the model it was registered with';
COMMENT ON COLUMN datasets.rows IS 'rows that were sketched';
COMMENT ON COLUMN datasets.partitions IS 'partitions of settings.partition_size rows (Def. 2)';
COMMENT ON COLUMN datasets.source IS 'file, glob or table that it was read from';
COMMENT ON COLUMN datasets.registered_at IS 'when it was sketched, UTC';
COMMENT ON COLUMN datasets.excluded IS 'columns left out of the sketch (labels, ids)';
COMMENT ON COLUMN datasets.fingerprint IS 'fingerprint of the settings that the sketch was made with';
COMMENT ON COLUMN datasets.spread IS 'the greatest sum, over the features, of the JS divergences of one partition from the whole';

CREATE TABLE models (
    model           VARCHAR NOT NULL,
    version         VARCHAR NOT NULL,
    dataset_id      UINTEGER NOT NULL,
    source_accuracy DOUBLE,
    task            VARCHAR,
    framework       VARCHAR,
    uri             VARCHAR,
    metadata        VARCHAR,
    registered_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE models IS 'a version of a model; several may share a dataset (Fig. 1)';
COMMENT ON COLUMN models.model IS 'name of the model';
COMMENT ON COLUMN models.version IS 'version of the model; empty text where none was given';
COMMENT ON COLUMN models.dataset_id IS 'the dataset that it was trained on';
COMMENT ON COLUMN models.task IS 'what the model does';
COMMENT ON COLUMN models.framework IS 'what the model runs on';
COMMENT ON COLUMN models.uri IS 'where the model is';
COMMENT ON COLUMN models.registered_at IS 'when it was registered, UTC; the latest version of a model has the latest';
COMMENT ON COLUMN models.source_accuracy IS 'accuracy on the source dataset, in [0, 1]';
COMMENT ON COLUMN models.metadata IS 'free metadata, JSON text';

CREATE TABLE features (
    dataset_id UINTEGER NOT NULL,
    feature_id USMALLINT NOT NULL,
    feature    VARCHAR NOT NULL,
    kind       VARCHAR NOT NULL,
    "values"   UBIGINT NOT NULL,
    nulls      UBIGINT NOT NULL,
    distincts  UBIGINT,
    mean       DOUBLE,
    bins       USMALLINT[] NOT NULL,
    counts     UBIGINT[] NOT NULL,
    elements   UINTEGER NOT NULL,
    minhash    UINTEGER[] NOT NULL,
    spread     DOUBLE NOT NULL
);
COMMENT ON TABLE features IS 'a feature of a dataset: its histogram over the whole dataset and its MinHash signature';
COMMENT ON COLUMN features.dataset_id IS 'the dataset of the feature';
COMMENT ON COLUMN features.feature IS 'name of the column, or of a leaf of a struct';
COMMENT ON COLUMN features.nulls IS 'cells without a value';
COMMENT ON COLUMN features.feature_id IS 'position of the feature in its dataset, from 1';
COMMENT ON COLUMN features.kind IS 'number, time or text';
COMMENT ON COLUMN features."values" IS 'values counted (a list counts its elements, a text its tokens)';
COMMENT ON COLUMN features.distincts IS 'estimate of the distinct values';
COMMENT ON COLUMN features.mean IS 'mean of the finite numbers, or of the times (years since 2010, or hours); NULL for text';
COMMENT ON COLUMN features.bins IS 'the bins that occur, the most frequent first';
COMMENT ON COLUMN features.counts IS 'occurrences of each of bins';
COMMENT ON COLUMN features.elements IS 'MinHash elements: the replicas of all bins';
COMMENT ON COLUMN features.spread IS 'the greatest JS divergence of one of its partitions from the whole';
COMMENT ON COLUMN features.minhash IS 'readable by datasketch: MinHash(hashvalues=..., scheme=''affine32'')';

-- DuckDB packs as many bits for each number of a column as the largest near it needs: rare bins have a column of their own.
CREATE TABLE partition_counts (
    dataset_id   UINTEGER NOT NULL,
    feature_id   USMALLINT NOT NULL,
    partition_id UINTEGER NOT NULL,
    frequent     UINTEGER[] NOT NULL,
    rare         UINTEGER[] NOT NULL
);
COMMENT ON TABLE partition_counts IS 'a feature of a partition as it is stored: its histogram in two parts';
COMMENT ON COLUMN partition_counts.dataset_id IS 'the dataset of the feature';
COMMENT ON COLUMN partition_counts.feature_id IS 'the feature of the dataset';
COMMENT ON COLUMN partition_counts.partition_id IS 'number of the partition in the dataset, from 0';
COMMENT ON COLUMN partition_counts.frequent IS 'occurrences of each of the first of features.bins (frequent_bins tells how many)';
COMMENT ON COLUMN partition_counts.rare IS 'occurrences of each of the other bins';

CREATE MACRO frequent_bins(counts, partitions) AS len(list_filter(counts, lambda n: n >= 2 * partitions));
COMMENT ON MACRO frequent_bins IS 'how many bins of a feature occur at least twice in a partition, on average';

CREATE VIEW histograms AS
SELECT dataset_id, feature_id, partition_id, frequent || rare AS counts
FROM partition_counts;
COMMENT ON VIEW histograms IS 'a feature of a partition: the succinct representation of Fig. 2; counts are the occurrences of each of features.bins';

CREATE TABLE verbs (
    verb   VARCHAR PRIMARY KEY,
    script VARCHAR NOT NULL
);
COMMENT ON TABLE verbs IS 'a script that changes the hub, to run in any DuckDB client: SELECT script FROM verbs WHERE verb = ''register''';
COMMENT ON COLUMN verbs.verb IS 'register or remove';
COMMENT ON COLUMN verbs.script IS 'the SQL to run, after the variables that it names are set';

CREATE TABLE minhash_functions (
    function   USMALLINT PRIMARY KEY,
    multiplier UINTEGER NOT NULL,
    increment  UINTEGER NOT NULL
);
COMMENT ON TABLE minhash_functions IS 'a MinHash function, h -> (multiplier * h + increment) mod 2^32: datasketch''s affine32 permutations of the seed';
COMMENT ON COLUMN minhash_functions.function IS 'position in a signature, from 0';
COMMENT ON COLUMN minhash_functions.multiplier IS 'of the hash, below 2^32';
COMMENT ON COLUMN minhash_functions.increment IS 'added to the product, below 2^32';

CREATE VIEW unused_datasets AS
FROM datasets ANTI JOIN models USING (dataset_id);
COMMENT ON VIEW unused_datasets IS 'a dataset that no model uses: removed with its last model';

CREATE VIEW no_dataset AS
SELECT NULL::INTEGER AS nothing WHERE false;
COMMENT ON VIEW no_dataset IS 'an empty dataset';

CREATE MACRO settings_fingerprint() AS (
    SELECT md5(s::VARCHAR) FROM (
        SELECT format_version, partition_size, partitioning, number_binning, number_bins, number_low, number_high, number_edges,
            text_bins, replicas, minhash_bands, minhash_rows, seed, salt
        FROM settings
    ) AS s
);
COMMENT ON MACRO settings_fingerprint IS 'fingerprint of the settings that decide a sketch';

CREATE MACRO text_variable(name) AS getvariable(name)::VARCHAR;
COMMENT ON MACRO text_variable IS 'a variable of the session as text; NULL when it is not set';

CREATE MACRO utc_now() AS make_timestamp(epoch_us(now()));
COMMENT ON MACRO utc_now IS 'the time at which the transaction began, UTC whatever the time zone of the session';

CREATE MACRO registering() AS getvariable('registering');
COMMENT ON MACRO registering IS 'what the script that registers was told, as a struct';

CREATE MACRO removing() AS getvariable('removing');
COMMENT ON MACRO removing IS 'what the script that removes was told, as a struct';

CREATE VIEW list_models AS
SELECT model, version, source_accuracy, task, framework, uri, metadata, dataset, rows, partitions, source, excluded, m.registered_at
FROM models AS m
JOIN datasets USING (dataset_id)
ORDER BY model, version;
COMMENT ON VIEW list_models IS 'a registered model and the dataset that it was trained on';
