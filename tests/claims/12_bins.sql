-- Claims of sql/12_bins.sql.

WITH x AS (SELECT unnest([-100, -10, -9.99, 0, 9.99, 10, 1e9]) AS x)
SELECT 'fixed bins are equal steps of the range, and take what is outside', list(fixed_bin(x, -10.0, 10.0, 20.0) ORDER BY x) = [0, 0, 0, 10, 19, 19, 19]
FROM x;

SELECT 'asinh bins are symmetric about 0, where the middle is',
    bool_and(asinh_bin(x, 0.01, 1e9, 256.0) + asinh_bin(-x, 0.01, 1e9, 256.0) = 255) AND asinh_bin(0.0, 0.01, 1e9, 256.0) = 128
FROM (SELECT unnest([0.05, 1.5, 300, 1e12]) AS x);
