-- name: prepare
select pg_advisory_xact_lock(hashtextextended('dropload schema', 0));
create schema if not exists dropload;
create table if not exists dropload.migration (version text primary key, applied_at timestamptz not null default now())

-- name: applied
select version from dropload.migration

-- name: record
insert into dropload.migration (version) values (%(version)s)

-- name: patience
-- Whoever waits for a table makes all who come later wait, too.
select set_config('lock_timeout', %(milliseconds)s, true)

-- name: lock
lock table {tables} in access exclusive mode

-- name: kind
select relkind::text as kind from pg_class where oid = to_regclass(%(table)s)

-- name: columns
-- A table's own columns with their types, as PostgreSQL spells them.
select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required, collname as collation
from pg_attribute left join pg_collation on pg_collation.oid = attcollation
where attrelid = to_regclass(%(table)s) and attnum > 0 and not attisdropped
order by attnum

-- name: indexes
-- The indexes that can serve a key or a filter; `needed_by` are the foreign keys of other tables that rest on one.
select relname as name, indisunique as unique,
       coalesce(obj_description(indexrelid, 'pg_class') = %(ours)s, false) as ours,
       array(select attname::text
             from unnest(indkey[0:indnkeyatts - 1]) with ordinality as key (number, at)
             join pg_attribute on attrelid = indrelid and attnum = key.number
             order by at) as columns,
       array(select format('%%s of %%s', conname, conrelid::regclass)
             from pg_constraint
             where conindid = indexrelid and contype = 'f'
               and obj_description(oid, 'pg_constraint') is distinct from %(ours)s) as needed_by
from pg_index
join pg_class on pg_class.oid = indexrelid
join pg_am on pg_am.oid = relam
where indrelid = to_regclass(%(table)s) and amname = 'btree'
  and indisvalid and indimmediate and indpred is null and indexprs is null
order by indexrelid

-- name: links
-- The foreign keys of a table that hold for all of its rows at once.
select conname as name, coalesce(obj_description(c.oid, 'pg_constraint') = %(ours)s, false) as ours,
       nspname as target_schema, relname as target,
       array(select attname::text
             from unnest(conkey) with ordinality as key (number, at)
             join pg_attribute on attrelid = conrelid and attnum = key.number
             order by at) as fields,
       array(select attname::text
             from unnest(confkey) with ordinality as key (number, at)
             join pg_attribute on attrelid = confrelid and attnum = key.number
             order by at) as keys
from pg_constraint as c
join pg_class on pg_class.oid = confrelid
join pg_namespace on pg_namespace.oid = relnamespace
where conrelid = to_regclass(%(table)s) and contype = 'f' and convalidated and confmatchtype = 's'
order by c.oid

-- name: empty
select not exists (select from {table}) as empty

-- name: duplicates
-- How many values of a key more than one row has.
select count(*) as found
from (select from {table} where ({columns}) is not null group by {columns} having count(*) > 1) as doubled

-- name: nulls
select count(*) as found from {table} where {column} is null

-- name: orphans
-- How many rows refer to a row that is not there.
select count(*) as found from {table} as child
where ({columns}) is not null and not exists (select from {target} as parent where {same})
