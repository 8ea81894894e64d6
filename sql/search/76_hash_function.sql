-- a JS-LSH function of a space: a of Eq. 2.4 (direction), and b / r in [0, 1) (shift)
WITH hashed_axis AS (
    FROM space_axis SEMI JOIN reachable_space USING (space_id) WHERE (SELECT search_method.search FROM search_method) = 'lsh'
),
coordinate AS (
    SELECT space_id, slot, ordinal, position FROM hashed_axis
    UNION ALL
    SELECT space_id, -1, -1, max(position) + 1 FROM hashed_axis GROUP BY space_id
),
drawn_function AS (
    SELECT unnest(range(jslsh_bands * jslsh_rows))::INTEGER AS function FROM options
),
-- Drawn once, however many spaces have the coordinate.
drawn AS MATERIALIZED (
    SELECT slot, ordinal, function, _logic.gaussian(function, slot, ordinal) AS a FROM (SELECT DISTINCT slot, ordinal
        FROM coordinate), drawn_function
),
directions AS (
    SELECT space_id, function, list(a ORDER BY position ASC) AS direction
    FROM coordinate
    JOIN drawn USING (slot, ordinal)
    GROUP BY space_id, function
)
SELECT
    space_id, function, direction,
    ('0x' || sha1(concat_ws(':', _format.seed(), function, 'b'))[1:8])::UINTEGER / 4294967296 AS shift
FROM directions
