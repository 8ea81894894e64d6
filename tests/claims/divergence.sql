-- Claims of sql/values/50_divergence.sql. That they agree with scipy is in test_divergence.py.

SELECT 'a distribution is at divergence 0 from itself',
    _logic.js_divergence(p, p) = 0 AND _logic.kl_divergence(p, p) = 0 AND _logic.hellinger2(p, p) = 0
FROM (SELECT [0.2, 0.3, 0.5] AS p);

SELECT 'distributions that share no bin are at JS ln 2 and H2 1',
    abs(_logic.js_divergence([1, 0], [0, 1]) - ln(2)) < 1e-12 AND _logic.hellinger2([1, 0], [0, 1]) = 1;

SELECT 'JS and H2 are symmetric, KL is not',
    abs(_logic.js_divergence(p, q) - _logic.js_divergence(q, p)) < 1e-12 AND abs(_logic.hellinger2(p, q) - _logic.hellinger2(q, p)) < 1e-12
    AND abs(_logic.kl_divergence(p, q) - _logic.kl_divergence(q, p)) > 0.01
FROM (SELECT [0.1, 0.9] AS p, [0.6, 0.4] AS q);

SELECT 'KL is infinite where q is 0 and p is not',
    isinf(_logic.kl_divergence([0.5, 0.5], [1, 0])) AND _logic.kl_divergence([1, 0], [0.5, 0.5]) = ln(2);

SELECT 'what a bin adds is what the list adds up', abs(
    _logic.js_term(0.1, 0.6) + _logic.js_term(0.9, 0.4) - _logic.js_divergence([0.1, 0.9], [0.6, 0.4])
) < 1e-12 AND _logic.kl_term(0, 0.5) = 0 AND isinf(_logic.kl_term(0.5, 0));

SELECT 'm ln m is 0 at 0 and at 1', _logic.negentropy(0) = 0 AND _logic.negentropy(1) = 0 AND _logic.negentropy(0.5) < 0;

CREATE TEMP TABLE pair AS
SELECT [i / 100, 1 - i / 100] AS p, [j / 100, 1 - j / 100] AS q FROM range(101) AS r(i), range(0, 101, 5) AS s(j);
CREATE TEMP TABLE distance AS
SELECT p, q, _logic.js_divergence(p, q) AS js, _logic.hellinger2(p, q) AS h2,
    list_inner_product(
        _logic.waves(list_transform(p, lambda x: sqrt(x))), _logic.waves(list_transform(q, lambda x: sqrt(x)))
    ) AS cosines
FROM pair;

SELECT 'JS by entropies is JS by logarithms', bool_and(abs(js - ln(2) - list_sum(list_transform(
    list_zip(p, q), lambda pq: _logic.negentropy(pq[1]) + _logic.negentropy(pq[2]) - _logic.negentropy(pq[1] + pq[2])
)) / 2) < 1e-12)
FROM distance;

SELECT 'ln 2 * H2 <= JS <= H2', bool_and(ln(2) * h2 - 1e-12 <= js AND js <= h2 + 1e-12) AND count(*) = 101 * 21 FROM distance;

SELECT 'the inner product of waves is a sum of cosines', bool_and(abs(cosines - list_sum(list_transform(
    list_zip(p, q),
    lambda pq: CASE WHEN pq[1] * pq[2] > 0 THEN sqrt(pq[1] * pq[2]) * cos(_logic.js_cosine().frequency * ln(pq[1] / pq[2])) ELSE 0 END
))) < 1e-9)
FROM distance;

SELECT 'JS is told by H2 and the cosines, as closely as it says',
    bool_and(abs(_logic.js_estimate(h2, cosines) - js) <= _logic.js_cosine().error * h2 + 1e-12) AND max(js) > 0.69
FROM distance;

SELECT 'smoothed probabilities are a distribution without zeros',
    abs(list_sum(list_transform([0, 0.25, 0.75], lambda p: _logic.smoothed(p, 3))) - 1) < 1e-12 AND _logic.smoothed(0, 3) > 0;
