-- Claims of sql/70_divergence.sql. That they agree with scipy is in test_divergence.py.

SELECT 'a distribution is at divergence 0 from itself', js_divergence(p, p) = 0 AND kl_divergence(p, p) = 0 AND hellinger2(p, p) = 0
FROM (SELECT [0.2, 0.3, 0.5] AS p);

SELECT 'distributions that share no bin are at JS ln 2 and H2 1', abs(js_divergence([1, 0], [0, 1]) - ln(2)) < 1e-12 AND hellinger2([1, 0], [0, 1]) = 1;

SELECT 'JS and H2 are symmetric, KL is not',
    abs(js_divergence(p, q) - js_divergence(q, p)) < 1e-12 AND abs(hellinger2(p, q) - hellinger2(q, p)) < 1e-12
    AND abs(kl_divergence(p, q) - kl_divergence(q, p)) > 0.01
FROM (SELECT [0.1, 0.9] AS p, [0.6, 0.4] AS q);

SELECT 'KL is infinite where q is 0 and p is not', isinf(kl_divergence([0.5, 0.5], [1, 0])) AND kl_divergence([1, 0], [0.5, 0.5]) = ln(2);

SELECT 'ln 2 * H2 <= JS <= H2', bool_and(ln(2) * h2 - 1e-12 <= js AND js <= h2 + 1e-12) AND count(*) = 99
FROM (SELECT js_divergence([i / 100, 1 - i / 100], [0.25, 0.75]) AS js, hellinger2([i / 100, 1 - i / 100], [0.25, 0.75]) AS h2 FROM range(1, 100) AS r(i));

SELECT 'smoothed probabilities are a distribution without zeros',
    abs(list_sum(list_transform([0, 0.25, 0.75], lambda p: smoothed(p, 3))) - 1) < 1e-12 AND smoothed(0, 3) > 0;
