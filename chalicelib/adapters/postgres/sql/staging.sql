-- From the staging table to the dataset's table. {braces} are identifiers, filled in by psycopg2.sql.
-- Ids that were drawn beforehand are staged, too, and override those that the table would give.

-- name: set_origin
select set_config(%(setting)s, %(origin)s, true)

-- name: create
create temp table _stage (_row integer generated always as identity (cache 1000), {columns}) on commit drop

-- name: remove
delete from pg_temp._stage using unnest(%(rows)s) as lost (number) where _row = lost.number

-- name: insert
-- Checks that wait for the commit would refuse the whole batch there.
set constraints all immediate;
insert into {table} ({columns}) overriding system value
select {columns} from pg_temp._stage order by {order} on conflict do nothing

-- name: insert_only
set constraints all immediate;
insert into {table} ({columns}) overriding system value
select {columns} from pg_temp._stage join unnest(%(rows)s::integer[]) as chosen (number) on number = _row
order by {order}
on conflict do nothing

-- name: insert_but
set constraints all immediate;
insert into {table} ({columns}) overriding system value
select {columns} from pg_temp._stage
where not exists (select from unnest(%(rows)s::integer[]) as left_out (number) where number = _row)
order by {order}
on conflict do nothing

-- name: index_rows
create unique index on pg_temp._stage (_row)

-- name: insert_singly
select refused.row_number, refused.refusal_state, refused.refusal_constraint,
       dropload.columns_of_constraint(%(target)s::regclass, refused.refusal_constraint) as columns
from dropload.insert_singly(%(target)s::regclass, 'pg_temp._stage', %(columns)s, %(types)s, %(rows)s) as refused

-- name: taken
select stage._row as row_number, min(kept.id) as id, min(kept._origin) as origin
from pg_temp._stage as stage join {table} as kept on {same}
where kept._origin is distinct from %(own_origin)s
group by stage._row

-- name: taken_of
select stage._row as row_number, min(kept.id) as id, min(kept._origin) as origin
from unnest(%(rows)s::integer[]) as wanted (number)
join pg_temp._stage as stage on stage._row = wanted.number
join {table} as kept on {same}
where kept._origin is distinct from %(own_origin)s
group by stage._row

-- name: dangling
select stage._row as row_number
from pg_temp._stage as stage
where ({columns}) is not null and not exists (select from {target} as parent where {same})
