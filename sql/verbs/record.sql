-- Records what a model did on a target, beside what the search says of it. In a stock shell: set the variables `model`, `target`
-- (a file, a glob, a table or a view) and `score`, and run this script. The others are optional: `version` (by default the
-- latest), `exclude`, `metric` (accuracy, f1 or r2; by default accuracy), `rows` (labelled rows that it was measured on) and
-- `source` (what is said of the target; by default the file's name). The hub is changed in one transaction, at the end.

SET VARIABLE recording = {
    model: _logic.text_variable('model'),
    version: _logic.text_variable('version'),
    target: coalesce(_logic.text_variable('target'), '_logic.no_dataset'),
    exclude: coalesce(getvariable('exclude')::VARCHAR[], []),
    score: _logic.text_variable('score'),
    metric: coalesce(_logic.text_variable('metric'), 'accuracy'),
    rows: _logic.text_variable('rows'),
    source: coalesce(_logic.text_variable('source'), regexp_replace(_logic.text_variable('target'), '^.*[/\\]', ''))
};

-- What is said of this measurement is not said of the next, whether or not this one can be recorded.
/* resets */

SET VARIABLE recording_fault = _logic.recording_fault(
    _logic.recording().model, _logic.recording().source, _logic.recording().score, _logic.recording().metric,
    _logic.recording().rows
);

SET VARIABLE record_check = (SELECT CASE
    WHEN getvariable('recording_fault') IS NOT NULL THEN error(getvariable('recording_fault'))
    ELSE _logic.dataset_of(_logic.recording().model, _logic.recording().version)
END);

CREATE OR REPLACE TEMP TABLE modelhub_target AS
FROM _logic.sketch(_logic.recording().target, exclude := _logic.recording().exclude);

BEGIN TRANSACTION;

CREATE OR REPLACE TEMP TABLE modelhub_outcome AS
WITH target_sketch AS MATERIALIZED (FROM temp.main.modelhub_target),
options AS MATERIALIZED (FROM _logic.search_options()),
searched AS MATERIALIZED (FROM _logic.explained(_logic.recording().model, _logic.recording().version)),
/* search/ */
SELECT
    j.model, j.version, r.source AS target, (SELECT any_value(t.rows) FROM target_sketch AS t) AS target_rows,
    j.verdict, j.distance, j.expected_distance, r.metric, r.score::DOUBLE AS score, r.rows::UBIGINT AS rows
FROM judged_model AS j
CROSS JOIN (SELECT unnest(_logic.recording())) AS r;

/* storing/outcomes */

COMMIT;

SELECT model AS recorded, version, target, verdict, distance, metric, score FROM temp.main.modelhub_outcome;

DROP TABLE temp.main.modelhub_outcome;
DROP TABLE temp.main.modelhub_target;
