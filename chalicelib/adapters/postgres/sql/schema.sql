-- name: prepare
select pg_advisory_xact_lock(hashtextextended('dropload schema', 0));
create schema if not exists dropload;
create table if not exists dropload.migration (version text primary key, applied_at timestamptz not null default now())

-- name: applied
select version from dropload.migration

-- name: record
insert into dropload.migration (version) values (%(version)s)

-- name: columns
-- A table's own columns with their types, as PostgreSQL spells them.
select attname as name, format_type(atttypid, atttypmod) as type
from pg_attribute
where attrelid = to_regclass(%(table)s) and attnum > 0 and not attisdropped
order by attnum
