-- Partials: where the rows of a job that gathers wait until it ends. {braces} are identifiers and lists of them, filled
-- in by psycopg2.sql; `kept` is a row of the dataset's table.

-- name: has_rules
-- Whether somebody gave the table a rule about more than its key. Such a rule may refuse what a sum is on its way, and
-- not what it is in the end.
select (select count(*) from pg_index where indrelid = {target}::regclass and indisunique and not indisprimary) <> 1
       or exists (
           select from pg_constraint
           where conrelid = {target}::regclass and contype in ('c', 'f', 'x', 't') and not coalesce(conkey <@ (
               select indkey::int2[] from pg_index
               where indrelid = {target}::regclass and indisunique and not indisprimary
               limit 1
           ), false)
       )
       or exists (select from pg_trigger where tgrelid = {target}::regclass and not tgisinternal) as found

-- name: make
-- Without keys and indexes, and not worth a vacuum: it is read once.
create table {partial} (like {table} including defaults) with (autovacuum_enabled = off);
alter table {partial} drop column id

-- name: insert_staged
insert into {partial} ({columns}) select {columns} from pg_temp._stage

-- name: waiting
select exists (select from dropload.batch where job = %(job)s and gathered) as found

-- name: prepare
-- One merge of a dataset after the other: they have the same rows, and each has much memory.
select set_config('work_mem', '128MB', true), set_config('lock_timeout', '300s', true),
       set_config('statement_timeout', %(milliseconds)s, true);
select pg_advisory_xact_lock(hashtextextended('dropload merge ' || %(dataset)s, 0))

-- name: lock_table
lock table {table} in share row exclusive mode

-- name: merge
-- Rows in key order, as in merge.sql: add. A row that was made has the origin of its earliest record, which is one of the
-- batches that wait; a row that was there has another.
set constraints all immediate;
with placed as (
    insert into {table} as kept ({columns}, _origin)
    select {sums}, min(partial._origin) from {partial} as partial
    group by {key}
    order by {key}
    on conflict ({key}) do update set {assignments}
    returning kept._origin
), made as (
    select _origin, count(*) as rows from placed group by _origin
)
update dropload.batch
set gathered = false, inserted = batch.inserted + coalesce(made.rows, 0), updated = batch.updated - coalesce(made.rows, 0)
from dropload.batch as its left join made on made._origin = %(origin)s + its.number
where batch.job = %(job)s and batch.gathered and its.job = batch.job and its.number = batch.number

-- name: merge_and_keep
-- The same, and what was added to each row stands under the job's first batch.
set constraints all immediate;
with added as materialized (
    select {sums_as}, min(partial._origin) as _origin from {partial} as partial group by {key}
), placed as (
    insert into {table} as kept ({columns}, _origin)
    select {columns}, _origin from added
    order by {key}
    on conflict ({key}) do update set {assignments}
    returning kept.*
), noted as (
    insert into dropload.before as before (origin, id, dataset, was)
    select %(origin)s, kept.id, %(dataset)s, {amounts}
    from placed as kept join added on {same}
    on conflict (origin, id) do update set was = dropload.added_up(before.was, excluded.was)
), made as (
    select _origin, count(*) as rows from placed group by _origin
)
update dropload.batch
set gathered = false, inserted = batch.inserted + coalesce(made.rows, 0), updated = batch.updated - coalesce(made.rows, 0)
from dropload.batch as its left join made on made._origin = %(origin)s + its.number
where batch.job = %(job)s and batch.gathered and its.job = batch.job and its.number = batch.number

-- name: scatter
update dropload.job set gathers = false where number = %(job)s

-- name: disown
-- Still to be placed, should the job be redriven.
update dropload.batch set ignored = ignored + updated, updated = 0 where job = %(job)s and gathered

-- name: give_up
update dropload.batch set gathered = false where job = %(job)s and gathered

-- name: drop
drop table if exists {partial}

-- name: left_over
select substr(relname, 9)::bigint as job
from pg_class
where relnamespace = 'dropload'::regnamespace and relkind = 'r' and relname ~ '^partial_[0-9]+$'
  and not exists (
      select from dropload.job where number = substr(relname, 9)::bigint and finished_at is null
  )
order by relname
