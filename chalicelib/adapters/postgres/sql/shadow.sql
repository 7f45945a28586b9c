-- A job's shadow of its dataset's table. {braces} are identifiers, filled in by psycopg2.sql.

-- name: make
-- The table is locked by its name first: another job may be putting its own shadow in its place.
lock table {table} in access share mode;
select dropload.make_shadow({target}::regclass, %(job)s);
insert into dropload.replaced (dataset) values (%(dataset)s) on conflict (dataset) do nothing

-- name: hold
-- While a batch draws ids from the table's sequence, no swap may put another one in its place.
select pg_advisory_xact_lock_shared(hashtextextended('dropload swap ' || %(dataset)s, 0))

-- name: newest
select job from dropload.replaced where dataset = %(dataset)s for update

-- name: replaced_by
update dropload.replaced set job = %(job)s where dataset = %(dataset)s

-- name: ignore_inserted
-- Records that are in no table: the books of the batches and of the job stay balanced.
update dropload.batch set ignored = ignored + inserted, inserted = 0 where job = %(job)s and inserted > 0;
update dropload.job set ignored = ignored + inserted, inserted = 0 where number = %(job)s

-- name: may_swap
select dropload.is_free({target}::regclass)
       and dropload.shape({target}::regclass, %(job)s, false) = dropload.shape({shadow_name}::regclass, null, false) as found

-- name: prepare
-- What takes long, before anybody has to wait for it.
select dropload.index_shadow({target}::regclass, {shadow_name}, %(job)s, false);
analyze {shadow}

-- name: savepoint
savepoint swap

-- name: roll_back
rollback to savepoint swap

-- name: release
release savepoint swap

-- name: lock
-- Readers wait behind us as long as we wait for other readers: not long.
set local lock_timeout = '1s';
select pg_advisory_xact_lock(hashtextextended('dropload swap ' || %(dataset)s, 0));
lock table {table} in access exclusive mode

-- name: ready
select dropload.is_free({target}::regclass)
       and dropload.shape({target}::regclass, %(job)s, true) = dropload.shape({shadow_name}::regclass, null, true) as free,
       dropload.is_watched() as watched

-- name: swap
-- Somebody may have a lock of the sequence alone, and readers wait for us now.
select dropload.swap_in({target}::regclass, {shadow_name}::regclass, %(job)s);
set local lock_timeout to default

-- name: reached_by_deletes
-- A foreign key of another table that would take its rows along, or forbid it all.
select conname from pg_constraint
where confrelid = {target}::regclass and contype = 'f' and confdeltype <> 'a'
order by conname limit 1

-- name: copy
lock table {table} in share row exclusive mode;
select dropload.copy_in({target}::regclass, {shadow_name}::regclass)

-- name: drop
drop table if exists {shadow};
delete from dropload.drawn where job = %(job)s

-- name: left_over
select substr(relname, 8)::bigint as job
from pg_class
where relnamespace = 'dropload'::regnamespace and relkind = 'r' and relname ~ '^shadow_[0-9]+$'
  and not exists (
      select from dropload.job where number = substr(relname, 8)::bigint and finished_at is null
  )
order by relname
