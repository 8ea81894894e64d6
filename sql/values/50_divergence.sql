-- Distances between distributions (section 2.1), natural logarithms.

CREATE MACRO _logic.kl_term(p, q) AS CASE WHEN p > 0 THEN CASE WHEN q > 0 THEN p * ln(p / q) ELSE 'inf'::DOUBLE END ELSE 0 END;
COMMENT ON MACRO _logic.kl_term IS 'what a bin of probabilities p and q adds to the Kullback-Leibler divergence (Eq. 2.2)';

CREATE MACRO _logic.js_term(p, q) AS (_logic.kl_term(p, (p + q) / 2) + _logic.kl_term(q, (p + q) / 2)) / 2;
COMMENT ON MACRO _logic.js_term IS 'what a bin of probabilities p and q adds to the Jensen-Shannon divergence (Eq. 2.1)';

-- Without a branch for 0, which costs more than the logarithm.
CREATE MACRO _logic.negentropy(m) AS m * ln(m + 1e-300);
COMMENT ON MACRO _logic.negentropy IS 'm ln m, continued by 0';

CREATE MACRO _logic.kl_divergence(p, q) AS list_sum(list_transform(list_zip(p, q), lambda pq: _logic.kl_term(pq[1], pq[2])));
COMMENT ON MACRO _logic.kl_divergence IS 'Kullback-Leibler divergence of two lists of probabilities of one length; infinite where q is 0 and p is not';

CREATE MACRO _logic.js_divergence(p, q) AS list_sum(list_transform(list_zip(p, q), lambda pq: _logic.js_term(pq[1], pq[2])));
COMMENT ON MACRO _logic.js_divergence IS 'Jensen-Shannon divergence of two lists of probabilities of one length, in [0, ln 2]';

CREATE MACRO _logic.hellinger2(p, q) AS list_sum(list_transform(list_zip(p, q), lambda pq: (sqrt(pq[1]) - sqrt(pq[2])) ** 2)) / 2;
COMMENT ON MACRO _logic.hellinger2 IS 'squared Hellinger distance of two lists of probabilities of one length, in [0, 1]; ln 2 * H2 <= JS <= H2';

-- What a bin adds to JS and to H2 has a ratio that x = ln(p / q) alone decides, from 1 at x = 0 down to ln 2. It is
-- level + weight * (1 - cos(frequency * x)) / (cosh(x / 2) - 1), off by at most the error (the best fit of this form).
CREATE MACRO _logic.js_cosine() AS {frequency: 0.6067e0, level: 0.70242e0, weight: 0.19583e0, error: 0.0093e0};
COMMENT ON MACRO _logic.js_cosine IS 'JS is level * H2 + weight * sum sqrt(p q) (1 - cos(frequency * ln(p / q))), off by at most error * H2';

CREATE MACRO _logic.waves(roots) AS list_concat(
    list_transform(roots, lambda r: r * cos(2 * _logic.js_cosine().frequency * ln(r + 1e-300))),
    list_transform(roots, lambda r: r * sin(2 * _logic.js_cosine().frequency * ln(r + 1e-300)))
);
COMMENT ON MACRO _logic.waves IS 'two numbers for each square root; the inner product of two such lists is sum sqrt(p q) cos(frequency * ln(p / q))';

CREATE MACRO _logic.js_estimate(hellinger2, cosines) AS
    _logic.js_cosine().level * hellinger2 + _logic.js_cosine().weight * (1 - hellinger2 - cosines);
COMMENT ON MACRO _logic.js_estimate IS 'JS divergence from H2 and the inner product of waves, off by at most error * H2';

CREATE MACRO _logic.smoothed(p, size) AS (p + 1e-6) / (1 + 1e-6 * size);
COMMENT ON MACRO _logic.smoothed IS 'a probability after 1e-6 is added to each of size bins, so that KL divergences are finite';
