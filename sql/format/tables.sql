-- What a hub stores, in the schema _hub: models, and the sketches of the datasets that they were trained on
-- (sections 3.3 and 3.4). Clients read these tables with logic of their own; nothing else of the file is needed.
-- Names are compared letter by letter (COLLATE C), whatever default_collation a session has.
-- The table _hub.format, whose row is fixed, is made by modelhub_sql/generated.py.

CREATE TABLE _hub.defaults (
    features       VARCHAR  NOT NULL,
    min_overlap    DOUBLE,
    min_jaccard    DOUBLE,
    max_js         DOUBLE,
    min_adaptivity DOUBLE   NOT NULL,
    sample_space   VARCHAR  NOT NULL,
    rank_by        VARCHAR  NOT NULL,
    search         VARCHAR  NOT NULL,
    auto_models    DOUBLE   NOT NULL,
    auto_quantile  DOUBLE,
    max_candidates UINTEGER NOT NULL,
    recall         DOUBLE   NOT NULL,
    jslsh_bands    UINTEGER NOT NULL,
    jslsh_rows     UINTEGER NOT NULL,
    jslsh_width    DOUBLE   NOT NULL
);
COMMENT ON TABLE _hub.defaults IS 'what a search does unless it is told otherwise (one row); changed by the verb set';
COMMENT ON COLUMN _hub.defaults.features IS 'names (features of one name are compared, others where they are alike) or values (Def. 3 to the letter)';
COMMENT ON COLUMN _hub.defaults.min_overlap IS 't1 (Def. 3): share of the target''s features that a model must have; NULL: any';
COMMENT ON COLUMN _hub.defaults.min_jaccard IS 't2 (Def. 3): similarity above which features of different names are the same; NULL: the bar of their kind';
COMMENT ON COLUMN _hub.defaults.max_js IS 't (Def. 2); NULL chooses it from the candidates';
COMMENT ON COLUMN _hub.defaults.min_adaptivity IS 't_adaptivity (Def. 4)';
COMMENT ON COLUMN _hub.defaults.sample_space IS 'aligned (feature by feature) or flattened (the paper)';
COMMENT ON COLUMN _hub.defaults.rank_by IS 'what decides the order';
COMMENT ON COLUMN _hub.defaults.search IS 'exact, lsh or auto';
COMMENT ON COLUMN _hub.defaults.auto_models IS 'about how many models an automatic t lets match';
COMMENT ON COLUMN _hub.defaults.auto_quantile IS
    'quantile of the candidates'' partition divergences that an automatic t is; NULL: auto_models / candidates, at most 1/4';
COMMENT ON COLUMN _hub.defaults.max_candidates IS 'datasets, nearest first, that are candidates, and whose partitions are compared where details are asked for';
COMMENT ON COLUMN _hub.defaults.recall IS
    'probability that JS-LSH finds a match at the threshold, which jslsh_width was solved for';
COMMENT ON COLUMN _hub.defaults.jslsh_bands IS 'L of JS-LSH';
COMMENT ON COLUMN _hub.defaults.jslsh_rows IS 'K of JS-LSH: functions a band';
COMMENT ON COLUMN _hub.defaults.jslsh_width IS 'r of Eq. 2.4 divided by the largest distance of a match, sqrt(2 t / ln 2)';

CREATE TABLE _hub.datasets (
    dataset_id    UINTEGER PRIMARY KEY,
    dataset       VARCHAR NOT NULL,
    rows          UBIGINT NOT NULL,
    partitions    UINTEGER NOT NULL,
    source        VARCHAR NOT NULL,
    excluded      VARCHAR[] NOT NULL,
    registered_at TIMESTAMP NOT NULL,
    fingerprint   VARCHAR NOT NULL,
    spread        DOUBLE NOT NULL,
    skipped       VARCHAR[] NOT NULL
);
COMMENT ON TABLE _hub.datasets IS 'a sketched training dataset';
COMMENT ON COLUMN _hub.datasets.dataset_id IS 'number of the dataset, from 1';
COMMENT ON COLUMN _hub.datasets.dataset IS 'name of the dataset; by default that of the model it was registered with';
COMMENT ON COLUMN _hub.datasets.rows IS 'rows that were sketched';
COMMENT ON COLUMN _hub.datasets.partitions IS 'partitions of partition_size rows (Def. 2), none of fewer than half, and at most max_partitions: a sample of them where the rows are more';
COMMENT ON COLUMN _hub.datasets.source IS 'what is said of where it is from: by default the file''s or table''s name, without folders';
COMMENT ON COLUMN _hub.datasets.registered_at IS 'when it was sketched, UTC';
COMMENT ON COLUMN _hub.datasets.excluded IS 'columns left out of the sketch (labels, ids); NULL among them: others, whose names are not kept';
COMMENT ON COLUMN _hub.datasets.skipped IS 'columns that were left out, each with the reason: its type, that it holds only missing values, or that it is a key';
COMMENT ON COLUMN _hub.datasets.fingerprint IS 'fingerprint of the format that the sketch was made in';
COMMENT ON COLUMN _hub.datasets.spread IS
    'the greatest sum, over the features, of the JS divergences of one partition from the whole';

CREATE TABLE _hub.models (
    model           VARCHAR COLLATE C NOT NULL,
    version         VARCHAR COLLATE C NOT NULL,
    dataset_id      UINTEGER NOT NULL,
    source_accuracy DOUBLE,
    accuracy_rows   UBIGINT,
    task            VARCHAR,
    framework       VARCHAR,
    uri             VARCHAR,
    metadata        VARCHAR,
    registered_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE _hub.models IS 'a version of a model; several may share a dataset (Fig. 1)';
COMMENT ON COLUMN _hub.models.model IS 'name of the model';
COMMENT ON COLUMN _hub.models.version IS 'version of the model; empty text where none was given';
COMMENT ON COLUMN _hub.models.dataset_id IS 'the dataset that it was trained on';
COMMENT ON COLUMN _hub.models.task IS 'what the model does';
COMMENT ON COLUMN _hub.models.framework IS 'what the model runs on';
COMMENT ON COLUMN _hub.models.uri IS 'where the model is';
COMMENT ON COLUMN _hub.models.registered_at IS 'when it was registered, UTC; the latest version of a model has the latest';
COMMENT ON COLUMN _hub.models.source_accuracy IS 'accuracy on the source dataset, in [0, 1]';
COMMENT ON COLUMN _hub.models.accuracy_rows IS 'rows that the accuracy was measured on; NULL: as many as the dataset has';
COMMENT ON COLUMN _hub.models.metadata IS 'free metadata, JSON text';

CREATE TABLE _hub.features (
    dataset_id UINTEGER NOT NULL,
    feature_id USMALLINT NOT NULL,
    feature    VARCHAR COLLATE C NOT NULL,
    kind       VARCHAR NOT NULL,
    "values"   UBIGINT NOT NULL,
    nulls      UBIGINT NOT NULL,
    distincts  UBIGINT,
    k          SMALLINT,
    b          SMALLINT,
    bins       DOUBLE[] NOT NULL,
    counts     UBIGINT[] NOT NULL,
    effective_bins DOUBLE NOT NULL,
    mean       DOUBLE,
    elements   UINTEGER NOT NULL,
    minhash    UINTEGER[] NOT NULL,
    spread     DOUBLE NOT NULL
);
COMMENT ON TABLE _hub.features IS 'a feature of a dataset: its histogram over the whole dataset and its MinHash signature';
COMMENT ON COLUMN _hub.features.dataset_id IS 'the dataset of the feature';
COMMENT ON COLUMN _hub.features.feature IS 'name of the column, or of a leaf of a struct';
COMMENT ON COLUMN _hub.features.nulls IS 'cells without a value';
COMMENT ON COLUMN _hub.features.feature_id IS 'position of the feature in its dataset, from 1';
COMMENT ON COLUMN _hub.features.kind IS 'number, time or text';
COMMENT ON COLUMN _hub.features."values" IS 'values counted (a list counts its elements, a text its tokens)';
COMMENT ON COLUMN _hub.features.distincts IS 'estimate of the distinct values';
COMMENT ON COLUMN _hub.features.mean IS 'mean of the numbers, or of the times (microseconds), each in the middle of its bin; NULL for text';
COMMENT ON COLUMN _hub.features.k IS 'resolution of the bins: the smallest quantum is 2^k; NULL for text';
COMMENT ON COLUMN _hub.features.b IS 'resolution of the bins: so many bits of a number count; NULL for text';
COMMENT ON COLUMN _hub.features.bins IS 'the bins that occur, the most frequent first: lower ends of numbers, of times in microseconds, or hashes of tokens';
COMMENT ON COLUMN _hub.features.effective_bins IS 'how many even bins say as much: (sum sqrt n)^2 / sum n of counts';
COMMENT ON COLUMN _hub.features.counts IS 'occurrences of each of bins';
COMMENT ON COLUMN _hub.features.elements IS 'MinHash elements: the replicas of all bins';
COMMENT ON COLUMN _hub.features.spread IS 'the greatest JS divergence of one of its partitions from the whole';
COMMENT ON COLUMN _hub.features.minhash IS 'readable by datasketch: MinHash(hashvalues=..., scheme=''affine32'')';

-- DuckDB packs as many bits for each number of a column as the largest near it needs: rare bins have a column of their own.
CREATE TABLE _hub.partition_counts (
    dataset_id   UINTEGER NOT NULL,
    feature_id   USMALLINT NOT NULL,
    partition_id UINTEGER NOT NULL,
    frequent     UINTEGER[] NOT NULL,
    rare         UINTEGER[] NOT NULL
);
COMMENT ON TABLE _hub.partition_counts IS 'a feature of a partition as it is stored: its histogram in two parts';
COMMENT ON COLUMN _hub.partition_counts.dataset_id IS 'the dataset of the feature';
COMMENT ON COLUMN _hub.partition_counts.feature_id IS 'the feature of the dataset';
COMMENT ON COLUMN _hub.partition_counts.partition_id IS 'number of the partition in the dataset, from 0';
COMMENT ON COLUMN _hub.partition_counts.frequent IS
    'occurrences of each of the first of features.bins (frequent_bins tells how many)';
COMMENT ON COLUMN _hub.partition_counts.rare IS 'occurrences of each of the other bins';

CREATE TABLE _hub.outcomes (
    model             VARCHAR COLLATE C NOT NULL,
    version           VARCHAR COLLATE C NOT NULL,
    target            VARCHAR NOT NULL,
    target_rows       UBIGINT NOT NULL,
    verdict           VARCHAR,
    distance          DOUBLE,
    expected_distance DOUBLE,
    metric            VARCHAR NOT NULL,
    score             DOUBLE NOT NULL,
    rows              UBIGINT,
    source_accuracy   DOUBLE,
    recorded_at       TIMESTAMP NOT NULL
);
COMMENT ON TABLE _hub.outcomes IS 'what a model did on a target: a measurement, beside what the search said of it; goes with the model';
COMMENT ON COLUMN _hub.outcomes.model IS 'the model that was measured';
COMMENT ON COLUMN _hub.outcomes.version IS 'its version';
COMMENT ON COLUMN _hub.outcomes.target IS 'what is said of where the target is from: by default the file''s name, without folders';
COMMENT ON COLUMN _hub.outcomes.target_rows IS 'rows of the target';
COMMENT ON COLUMN _hub.outcomes.verdict IS 'what the search said of the model; NULL: it shares no feature with the target';
COMMENT ON COLUMN _hub.outcomes.distance IS 'of the model from the target';
COMMENT ON COLUMN _hub.outcomes.expected_distance IS 'what of it chance explains';
COMMENT ON COLUMN _hub.outcomes.metric IS 'what was measured: accuracy, f1 or r2';
COMMENT ON COLUMN _hub.outcomes.score IS 'its value on the target';
COMMENT ON COLUMN _hub.outcomes.rows IS 'labelled rows of the target that it was measured on; NULL: not said';
COMMENT ON COLUMN _hub.outcomes.source_accuracy IS 'accuracy on the source dataset, as the hub had it then';
COMMENT ON COLUMN _hub.outcomes.recorded_at IS 'when it was recorded, UTC';

CREATE TABLE _hub.minhash_functions (
    function   USMALLINT PRIMARY KEY,
    multiplier UINTEGER NOT NULL,
    increment  UINTEGER NOT NULL
);
COMMENT ON TABLE _hub.minhash_functions IS
    'a MinHash function, h -> (multiplier * h + increment) mod 2^32: datasketch''s affine32 permutations of the seed';
COMMENT ON COLUMN _hub.minhash_functions.function IS 'position in a signature, from 0';
COMMENT ON COLUMN _hub.minhash_functions.multiplier IS 'of the hash, below 2^32';
COMMENT ON COLUMN _hub.minhash_functions.increment IS 'added to the product, below 2^32';

CREATE TABLE _hub.logic (
    version VARCHAR NOT NULL,
    digest  VARCHAR NOT NULL
);
COMMENT ON TABLE _hub.logic IS 'the copy of the logic that the file carries for clients that have nothing else (one row)';
COMMENT ON COLUMN _hub.logic.version IS 'version of modelhub-sql that wrote it';
COMMENT ON COLUMN _hub.logic.digest IS 'SHA-256 of its text, as modelhub-sql knows it';

CREATE TABLE _hub.verbs (
    verb   VARCHAR PRIMARY KEY,
    script VARCHAR NOT NULL
);
COMMENT ON TABLE _hub.verbs IS
    'a script that changes the hub, to run in any DuckDB client: SELECT script FROM verbs WHERE verb = ''register''';
COMMENT ON COLUMN _hub.verbs.verb IS 'register, remove, record or set; steps runs a search step by step';
COMMENT ON COLUMN _hub.verbs.script IS 'the SQL to run, after the variables that it names are set';
