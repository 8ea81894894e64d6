-- Removes the model of the variable `model` (one version of it with `version`), its outcomes, and the sketch
-- that no model is left to use. One transaction.

SET VARIABLE removing = {model: _logic.text_variable('model'), version: _logic.text_variable('version')};
RESET VARIABLE model;
RESET VARIABLE version;

SET VARIABLE remove_check = (SELECT CASE
    WHEN NOT EXISTS (
        FROM _hub.models
        WHERE model = _logic.removing().model AND version = coalesce(_logic.removing().version, version)
    )
        THEN error(_logic.unknown_model(_logic.removing().model, _logic.removing().version))
END);

BEGIN TRANSACTION;

DELETE FROM _hub.models WHERE model = _logic.removing().model AND version = coalesce(_logic.removing().version, version);

DELETE FROM _hub.outcomes WHERE model = _logic.removing().model AND version = coalesce(_logic.removing().version, version);

/* storing/unused */

COMMIT;
