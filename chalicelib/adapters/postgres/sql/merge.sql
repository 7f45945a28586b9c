-- Records that meet a row of the table by the match key, and change it or add to it: policies update and sum.
-- {braces} are identifiers and lists of them, filled in by psycopg2.sql; `stage` is a record, `kept` its row.
-- {same}: both have one match key. {differs}: the record's values are not the row's.

-- name: trust_the_cache
-- What follows looks up rows that the insert before has just touched; scanning the whole table would be no cheaper.
select set_config('random_page_cost', '1.1', true)

-- name: rules_of_its_own
-- Whether the database may refuse a row for more than its keys, types and nulls: somebody gave the table such a rule,
-- or rows of other tables refer to what an update may change. Foreign keys that have been looked up are none.
select exists (
           select from pg_constraint as c
           where conrelid = {target}::regclass and (
               contype in ('c', 'x', 't') or contype = 'f' and not exists (
                   select
                   from pg_class
                   join pg_namespace on pg_namespace.oid = relnamespace
                   cross join unnest(conkey, confkey) as pair (field, key)
                   join pg_attribute as ours on ours.attrelid = conrelid and ours.attnum = pair.field
                   join pg_attribute as theirs on theirs.attrelid = confrelid and theirs.attnum = pair.key
                   where pg_class.oid = confrelid
                   group by nspname, relname
                   having nspname || '.' || relname || ':' || string_agg(
                              ours.attname || '>' || theirs.attname, ',' order by ours.attname
                          ) = any (%(checked)s::text[])
               )
           )
       ) or exists (
           select from pg_constraint
           join pg_attribute on attrelid = confrelid and attnum = any (confkey)
           where confrelid = {target}::regclass and contype = 'f' and attname <> all (%(match_key)s::text[])
       ) or exists (
           select from pg_trigger where tgrelid = {target}::regclass and not tgisinternal
       ) or exists (
           select from pg_index where indrelid = {target}::regclass and indisunique offset %(unique_keys)s + 1
       ) as found

-- name: claim
-- Insert what is new and lock what is there, all in key order: whoever has a row claimed decides alone what it will be.
-- The condition is never true, but is only looked at once the row is locked.
set constraints all immediate;
insert into {table} as kept ({columns}) overriding system value
select {staged} from pg_temp._stage as stage
where not exists (select from unnest(%(superseded)s::integer[]) as gone (number) where gone.number = stage._row)
order by {order}
on conflict ({key}) do update set _origin = kept._origin where false

-- name: clashes
-- Whether a record has another unique key's value that a row with another match key has.
select exists (
    select from pg_temp._stage as stage join {table} as kept on {same_other} where not ({same})
) as found

-- name: outcomes
-- As if one by one: a record is compared with the one before it that has the same key, the first one with the row.
select count(*) filter (where outcome = 'inserted') as inserted,
       count(*) filter (where outcome = 'updated') as updated,
       count(*) filter (where outcome = 'unchanged') as unchanged,
       count(*) filter (where outcome = 'ignored') as ignored
from (
    select case
               when kept._origin > %(origin)s then 'ignored'
               when chain.number is null and kept._origin = %(origin)s then 'inserted'
               when chain.number is null and {differs} then 'updated'
               when chain.number is not null and {differs_from_before} then 'updated'
               else 'unchanged'
           end as outcome
    from pg_temp._stage as stage
    join {table} as kept on {same}
    left join unnest(%(rows)s::integer[], %(before)s::integer[]) as chain (number, before) on chain.number = stage._row
    left join pg_temp._stage as before on before._row = chain.before
) as record

-- name: keep
-- What is about to be changed, as it is.
insert into dropload.before (origin, id, dataset, was, was_origin, became)
select %(origin)s, kept.id, %(dataset)s, to_jsonb(kept) - '{{id,_origin}}'::text[], kept._origin, {hash}
from pg_temp._stage as stage join {table} as kept on {same}
where kept._origin < %(origin)s and {differs}

-- name: change
update {table} as kept set {assignments}
from pg_temp._stage as stage
where {same} and kept._origin < %(origin)s and {differs}

-- name: add
set constraints all immediate;
with placed as (
    insert into {table} as kept ({columns}) overriding system value
    select {staged} from pg_temp._stage as stage
    group by {order}
    order by {order}
    on conflict ({key}) do update set {assignments}
    returning kept._origin
)
select count(*) filter (where _origin = %(origin)s) as inserted from placed

-- name: add_and_keep
set constraints all immediate;
with added as materialized (
    select {staged_as} from pg_temp._stage as stage group by {order}
), placed as (
    insert into {table} as kept ({columns}) overriding system value
    select {columns} from added
    order by {key}
    on conflict ({key}) do update set {assignments}
    returning kept.*
), noted as (
    insert into dropload.before (origin, id, dataset, was)
    select %(origin)s, kept.id, %(dataset)s, {added}
    from placed as kept join added as stage on {same}
)
select count(*) filter (where _origin = %(origin)s) as inserted from placed

-- name: seen_later
select exists (select from dropload.seen where dataset = %(dataset)s and origin > %(origin)s) as found

-- name: settle
-- Rows that a later batch has found to be right already are as good as written by it.
update {table} as kept set _origin = later.origin
from (
    select id, max(origin) as origin
    from dropload.seen, unnest(ids) as id
    where dataset = %(dataset)s and origin > %(origin)s
    group by id
) as later
where kept.id = later.id and kept._origin < later.origin
  and exists (select from pg_temp._stage as stage where {same})

-- name: earlier_may_come
-- Whether a batch that is earlier than this one is still to be loaded, perhaps by a redrive.
select exists (
           select from dropload.batch
           where job = %(job)s and number < %(batch)s and state in ('pending', 'running', 'failed')
       ) or exists (
           select from dropload.job
           where dataset = %(dataset)s and number < %(job)s
             and (finished_at is null
                  or state = 'FAILED' and columns is not null and reason ->> 'class' is distinct from 'file')
       ) as found

-- name: remember
insert into dropload.seen (dataset, origin, ids)
select %(dataset)s, %(origin)s, array_agg(kept.id)
from pg_temp._stage as stage join {table} as kept on {same}
where kept._origin < %(origin)s
having count(*) > 0

-- name: lock_table
-- Nobody else writes while rows go one by one, in file order: with others about, that order would deadlock.
set local lock_timeout = '600s';
lock table {table} in share row exclusive mode

-- name: insert_one
insert into {table} ({columns}) overriding system value
select {staged} from pg_temp._stage as stage where stage._row = $1
on conflict ({key}) do nothing

-- name: change_one
update {table} as kept set {assignments}
from pg_temp._stage as stage
where stage._row = $1 and {same} and kept._origin <= {origin} and {differs}

-- name: add_one
update {table} as kept set {assignments}
from pg_temp._stage as stage
where stage._row = $1 and {same}

-- name: keep_and_change_one
-- Of a row that the batch has changed before, only what it has become is news; one that it has made was nothing before.
with noted as (
    insert into dropload.before (origin, id, dataset, was, was_origin, became)
    select {origin}, kept.id, {dataset}, to_jsonb(kept) - '{{id,_origin}}'::text[], kept._origin, {hash}
    from pg_temp._stage as stage join {table} as kept on {same}
    where stage._row = $1 and kept._origin <= {origin} and {differs}
      and (kept._origin < {origin} or exists (
          select from dropload.before where before.origin = {origin} and before.id = kept.id
      ))
    on conflict (origin, id) do update set became = excluded.became
)
update {table} as kept set {assignments}
from pg_temp._stage as stage
where stage._row = $1 and {same} and kept._origin <= {origin} and {differs}

-- name: insert_and_keep_one
with placed as (
    insert into {table} ({columns}) overriding system value
    select {staged} from pg_temp._stage as stage where stage._row = $1
    on conflict ({key}) do nothing
    returning id
), noted as (
    insert into dropload.before as before (origin, id, dataset, was)
    select {origin}, placed.id, {dataset}, {amounts}
    from placed, pg_temp._stage as stage where stage._row = $1
)
select from placed

-- name: add_and_keep_one
with placed as (
    update {table} as kept set {assignments}
    from pg_temp._stage as stage
    where stage._row = $1 and {same}
    returning kept.id
), noted as (
    insert into dropload.before as before (origin, id, dataset, was)
    select {origin}, placed.id, {dataset}, {amounts}
    from placed, pg_temp._stage as stage where stage._row = $1
    on conflict (origin, id) do update set was = dropload.added_up(before.was, excluded.was)
)
select from placed

-- name: later_one
select 1 from {table} as kept join pg_temp._stage as stage on {same} where stage._row = $1 and kept._origin > {origin}

-- name: merge_singly
select merged.outcome, merged.refusal_state, merged.refusal_constraint, count(*) as records,
       case when merged.outcome = 'rejected' then array_agg(merged.row_number) end as rows,
       dropload.columns_of_constraint(%(target)s::regclass, merged.refusal_constraint) as columns
from dropload.merge_singly(%(insert_one)s, %(change_one)s, %(later_one)s, %(rows)s) as merged
group by merged.outcome, merged.refusal_state, merged.refusal_constraint

-- name: forget
-- What later batches have seen matters only as long as an earlier one may come.
delete from dropload.seen
where dataset = %(dataset)s
  and not exists (
      select from dropload.batch
      where job = seen.origin >> 23 and number < seen.origin & 8388607 and state in ('pending', 'running', 'failed')
  )
  and not exists (
      select from dropload.job where job.dataset = seen.dataset and job.number < seen.origin >> 23 and keeps
  )
  and not exists (
      select from dropload.job
      where job.dataset = seen.dataset and job.number < seen.origin >> 23
        and (finished_at is null
             or state = 'FAILED' and columns is not null and reason ->> 'class' is distinct from 'file')
  )
