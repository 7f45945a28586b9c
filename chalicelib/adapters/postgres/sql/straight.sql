-- Rows that nothing stands against. {braces} are identifiers and literals, filled in by psycopg2.sql.

-- name: use_indexes
-- A batch's keys are few against a table's rows, but the planner may not know how many rows there are by now.
select set_config('enable_seqscan', 'off', true)

-- name: use_anything
select set_config('enable_seqscan', 'on', true)

-- name: taken
select wanted.place
from unnest({lists}) with ordinality as wanted ({columns}, place)
where exists (select from {table} as kept where {same})

-- name: check_at_once
-- Checks that wait for the commit would refuse the whole batch there.
set constraints all immediate
