-- What a bin of numbers can be; which of these a hub has is a setting (finite_bin, made with the hub).

CREATE MACRO _format.special_bin(x, bins) AS CASE WHEN isnan(x) THEN bins WHEN x < 0 THEN bins + 1 ELSE bins + 2 END;
COMMENT ON MACRO _format.special_bin IS 'bin of NaN, -inf or +inf: the three after the last of the finite bins';

-- greatest() and least() are as slow as asinh(): only where they are needed.
CREATE MACRO _format.asinh_bin(x, low, high, bins) AS CASE
    WHEN x BETWEEN -high / 2 AND high / 2 THEN floor(asinh(x / low) / asinh(high / low) * (bins / 2.0) + bins / 2.0)
    ELSE greatest(0, least(bins - 1, floor(asinh(x / low) / asinh(high / low) * (bins / 2.0) + bins / 2.0)))
END;
COMMENT ON MACRO _format.asinh_bin IS
    'bin of a finite number when bins are equal steps of asinh(x / low): near 0 linear, then by relative size, up to +-high';

CREATE MACRO _format.fixed_bin(x, low, high, bins) AS
    greatest(0, least(bins - 1, floor((x - low) / (high - low) * bins)));
COMMENT ON MACRO _format.fixed_bin IS 'bin of a finite number when bins are equal steps of [low, high]';
