-- Exports: what was asked for, the snapshot that is written out, and the parts that stand.
-- {braces} are identifiers, lists of them and literals (COPY takes no parameters), filled in by psycopg2.sql.

-- name: insert
insert into dropload.export (id, dataset, format, filters, max_part_bytes, with_id)
values (%(id)s, %(dataset)s, %(format)s, %(filters)s, %(max_part_bytes)s, %(with_id)s)

-- name: lock
-- Held as long as the transaction, and let go by whoever dies.
select pg_try_advisory_xact_lock(hashtextextended('dropload export ' || %(id)s, 0)) as locked

-- name: open
select number, id, dataset, format, filters, max_part_bytes, with_id, rows, snapshot_at
from dropload.export
where id = %(id)s and finished_at is null

-- name: hold
select 1 from dropload.export where number = %(number)s and finished_at is null for update

-- name: limit_time
select set_config('statement_timeout', %(milliseconds)s, true)

-- name: snapshot
-- Unlogged: a crash empties it, which is noticed, and twice the writing is spared.
create unlogged table {snapshot} as
select row_number() over (order by {order}) as _n, {columns} from {table} where {conditions}

-- name: index
alter table {snapshot} add primary key (_n)

-- name: start
update dropload.export
set state = 'RUNNING', rows = %(rows)s, snapshot_at = now(), started_at = coalesce(started_at, now())
where number = %(number)s
returning number, id, dataset, format, filters, max_part_bytes, with_id, rows, snapshot_at

-- name: drop
drop table if exists {snapshot}

-- name: text_forms
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'iso_8601'

-- name: page
-- The rows after one, up to a number of bytes: whatever their sizes, not many more are ever held.
copy (
    select {columns}
    from (
        select *, sum({bytes}) over (order by _n) - ({bytes}) as _before
        from {snapshot}
        where _n > {after} and _n <= {after} + {most_rows}
    ) as page
    where _before < {most_bytes}
    order by _n
) to stdout

-- name: parts
select number, key, rows, bytes, last_row, sha256
from dropload.export_part
where export = %(export)s
order by number

-- name: add_part
-- Not for an export that was called off meanwhile.
with alive as (
    update dropload.export set bytes = bytes + %(bytes)s
    where number = %(export)s and finished_at is null
      and not exists (select from dropload.export_part where export = %(export)s and number = %(number)s)
    returning number
)
insert into dropload.export_part (export, number, key, rows, bytes, last_row, sha256)
select alive.number, %(number)s, %(key)s, %(rows)s, %(bytes)s, %(last_row)s, %(sha256)s from alive

-- name: forget_parts
delete from dropload.export_part where export = %(number)s

-- name: start_over
update dropload.export set rows = null, bytes = 0, snapshot_at = null where number = %(number)s

-- name: end
update dropload.export
set state = %(state)s, reason = %(reason)s, finished_at = now()
where id = %(id)s and finished_at is null
returning number

-- name: take_stuck
update dropload.export
set swept_at = now()
where number in (
    select number
    from dropload.export as open
    where finished_at is null
      and greatest(
            created_at,
            swept_at,
            snapshot_at,
            (select max(created_at) from dropload.export_part where export = open.number)
          ) < now() - %(idle_seconds)s * interval '1 second'
    order by swept_at nulls first, number
    limit %(limit)s
)
returning id

-- name: leftovers
select relname as name
from pg_class
where relnamespace = 'dropload'::regnamespace and relkind = 'r' and relname ~ '^export_[0-9]+$'
  and not exists (
      select from dropload.export where relname = 'export_' || number and finished_at is null
  )

-- name: view
select number, id, dataset, format, state, reason, filters, max_part_bytes, with_id, rows, bytes,
       snapshot_at, created_at, started_at, finished_at
from dropload.export
where id = %(id)s
