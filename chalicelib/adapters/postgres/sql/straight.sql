-- Rows that nothing stands against. {braces} are identifiers and literals, filled in by psycopg2.sql.

-- name: indexed
-- The columns of each unique index that holds for all rows.
select (select array_agg(attname::text) from pg_attribute where attrelid = indrelid and attnum = any (indkey)) as columns
from pg_index
where indrelid = {target}::regclass and indisunique and indisvalid and indpred is null and indexprs is null

-- name: look_up
-- Each key by itself in the index: keys come in its order, and are few against a table's rows, which the planner may
-- not know by now.
select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true)

-- name: taken
-- Not unnest in FROM: that would be written to a temporary store first.
select wanted.place
from (select {lists}, generate_series(1, %(length)s) as place) as wanted
where exists (select from {table} as kept where {same})

-- name: copy_next
-- Checks that wait for the commit would refuse the whole batch there.
set constraints all immediate;
select set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true),
       set_config('enable_seqscan', 'on', true)
