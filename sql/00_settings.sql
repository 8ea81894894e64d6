-- What a hub is made with. One row; fixed once a dataset is registered, because
-- sketches made with different settings cannot be compared.

CREATE TABLE settings (
    format_version   UINTEGER NOT NULL,
    partition_size   UINTEGER NOT NULL,
    partitioning     VARCHAR  NOT NULL,
    number_binning   VARCHAR  NOT NULL,
    number_bins      UINTEGER NOT NULL,
    number_low       DOUBLE   NOT NULL,
    number_high      DOUBLE   NOT NULL,
    number_edges     DOUBLE[],
    text_bins        UINTEGER NOT NULL,
    replicas         UINTEGER NOT NULL,
    minhash_bands    UINTEGER NOT NULL,
    minhash_rows     UINTEGER NOT NULL,
    jslsh_bands      UINTEGER NOT NULL,
    jslsh_rows       UINTEGER NOT NULL,
    jslsh_width      DOUBLE   NOT NULL,
    recall           DOUBLE   NOT NULL,
    seed             UINTEGER NOT NULL,
    salt             VARCHAR  NOT NULL,
    min_overlap      DOUBLE   NOT NULL,
    min_jaccard      DOUBLE   NOT NULL,
    max_js           DOUBLE,
    auto_models      DOUBLE   NOT NULL,
    auto_quantile    DOUBLE,
    min_adaptivity   DOUBLE   NOT NULL,
    max_candidates   UINTEGER NOT NULL,
    sample_space     VARCHAR  NOT NULL,
    rank_by          VARCHAR  NOT NULL,
    search           VARCHAR  NOT NULL
);
COMMENT ON TABLE settings IS 'the hub: how it sketches, hashes and searches (one row)';
COMMENT ON COLUMN settings.format_version IS 'version of the sketch format and of the logic stored in this file';
COMMENT ON COLUMN settings.partition_size IS 'm, rows in a partition (paper, Def. 2); the last partition holds the residue';
COMMENT ON COLUMN settings.partitioning IS 'random (affine permutation of the row numbers) or sequential (row order)';
COMMENT ON COLUMN settings.number_binning IS 'range_free (equal steps of asinh), fixed (equal steps of [number_low, number_high]) or learnt (number_edges)';
COMMENT ON COLUMN settings.number_bins IS 'bins for finite numbers, and again for finite times';
COMMENT ON COLUMN settings.number_low IS 'fixed: lower end of the range; otherwise the smallest magnitude told from zero';
COMMENT ON COLUMN settings.number_high IS 'fixed: upper end of the range; otherwise the magnitude from which on all numbers share a bin';
COMMENT ON COLUMN settings.number_edges IS 'learnt: the inner edges of the bins, ascending; NULL otherwise';
COMMENT ON COLUMN settings.text_bins IS 'bins that the tokens of text are hashed to';
COMMENT ON COLUMN settings.replicas IS 'MinHash elements of a bin: round(replicas * sqrt(frequency of the bin)) (section 3.4)';
COMMENT ON COLUMN settings.minhash_bands IS 'L of MinHash';
COMMENT ON COLUMN settings.minhash_rows IS 'K of MinHash: functions a band';
COMMENT ON COLUMN settings.jslsh_bands IS 'L of JS-LSH';
COMMENT ON COLUMN settings.jslsh_rows IS 'K of JS-LSH: functions a band';
COMMENT ON COLUMN settings.jslsh_width IS 'r of Eq. 2.4 divided by the largest distance of a match, sqrt(2 t / ln 2)';
COMMENT ON COLUMN settings.recall IS 'probability that JS-LSH finds a match at the threshold, which jslsh_width was solved for';
COMMENT ON COLUMN settings.seed IS 'seed of every hash function and of the partitioning';
COMMENT ON COLUMN settings.salt IS 'put before each token when it is hashed: sketches of different salts have nothing to do with each other';
COMMENT ON COLUMN settings.min_overlap IS 't1 (Def. 3): default of find_models';
COMMENT ON COLUMN settings.min_jaccard IS 't2 (Def. 3): default of find_models';
COMMENT ON COLUMN settings.max_js IS 't (Def. 2): default of find_models; NULL chooses it from the candidates';
COMMENT ON COLUMN settings.auto_models IS 'about how many models an automatic t lets match';
COMMENT ON COLUMN settings.auto_quantile IS 'quantile of the candidates'' partition divergences to put an automatic t at; NULL: auto_models / candidates, at most one quarter';
COMMENT ON COLUMN settings.min_adaptivity IS 't_adaptivity (Def. 4): default of find_models';
COMMENT ON COLUMN settings.max_candidates IS 'datasets, nearest in JS-divergence first, whose partitions are compared';
COMMENT ON COLUMN settings.sample_space IS 'aligned (feature by feature) or flattened (the paper): default of find_models';
COMMENT ON COLUMN settings.rank_by IS 'default of find_models';
COMMENT ON COLUMN settings.search IS 'exact, lsh or auto: default of find_models';
