-- Claims of sql/values/77_outcomes.sql. What is computed of outcomes is in test_outcomes.py.

SELECT 'each verdict has a usual loss, the greater the farther', bool_and(coalesce(loss > before, place = 0))
FROM (
    SELECT place, _logic.usual_loss(verdict) AS loss, lag(_logic.usual_loss(verdict)) OVER (ORDER BY place ASC) AS before
    FROM (SELECT unnest(['same', 'close', 'partly', 'far']) AS verdict, unnest(range(4)) AS place)
);

SELECT 'where nothing was measured, the usual is lost; where much was, what was measured', bool_and(
    _logic.weighed_loss(verdict, 0, 0.5) = _logic.usual_loss(verdict)
    AND abs(_logic.weighed_loss(verdict, 1000000, 0.5) - 0.5) < 1e-5
)
FROM (SELECT unnest(['same', 'close', 'partly', 'far']) AS verdict);

SELECT 'a hub in which nothing was measured has the four verdicts and expects nothing',
    count(*) = 4 AND count(expected_loss) = 0 AND sum(outcomes) = 0
FROM _logic.verdict_loss;

SELECT 'it takes more than one target', _logic.enough_targets() > 1;
