-- A job is undone. {braces} are identifiers and lists of them, filled in by psycopg2.sql. Rows whose _origin is from
-- %(first)s on and before %(beyond)s were last written by the job.

-- name: name_of
select bucket, key from dropload.job where id = %(id)s

-- name: job
select job.*, undo.token, undo.finished_at as undo_finished_at,
       exists (
           select from dropload.job as other
           where other.dataset = job.dataset and other.number <> job.number and not other.keeps
             and not other.validate_only and other.undone_at is null and other.state <> 'DUPLICATE'
             and (other.finished_at is null or other.finished_at > job.created_at)
             and (other.finished_at is null or other.inserted + other.updated + other.unchanged > 0)
       ) as beside_unkept
from dropload.job left join dropload.undo on undo.job = job.number
where job.id = %(id)s

-- name: hold
select from dropload.job where id = %(id)s for no key update

-- name: limit_waiting
select set_config('lock_timeout', %(lock)s, true)

-- name: lock_table
lock table {table} in share row exclusive mode

-- name: kinds
-- Whether what the job has changed is noted as what rows were, and as what was added to them.
select coalesce(bool_or(was_origin is not null), false) as changes,
       coalesce(bool_or(was_origin is null and was is not null), false) as additions
from dropload.before
where origin >= %(first)s and origin < %(beyond)s

-- name: gather_rows
-- Each row that the job made or changed: what it was before, whether it still is as the job left it, and whose it is
-- else. A later batch that found it right (`heir`) would have written it, had the job never been; `next` is the origin
-- of the first later one that changed it.
create temp table _undo on commit drop as
with first as (
    select distinct on (id) id, case when was_origin < %(first)s then was end as was,
                            case when was_origin < %(first)s then was_origin end as was_origin
    from dropload.before
    where origin >= %(first)s and origin < %(beyond)s and dataset = %(dataset)s
    order by id, origin
), last as (
    select distinct on (id) id, origin, became
    from dropload.before
    where origin >= %(first)s and origin < %(beyond)s and dataset = %(dataset)s
    order by id, origin desc
), next as (
    select id, origin
    from dropload.before
    where was_origin >= %(first)s and was_origin < %(beyond)s and origin >= %(beyond)s and dataset = %(dataset)s
), own as (
    select id, {hash} as hash from {table} as kept where _origin >= %(first)s and _origin < %(beyond)s
)
select id, first.was, first.was_origin, last.origin, last.became, next.origin as next, own.id is not null as own,
       null::bigint as heir, null::text as fate,
       own.id is not null and (first.was is null or own.hash = last.became) as as_left
from first join last using (id) full join next using (id) full join own using (id)

-- name: index
create unique index on pg_temp._undo (id)

-- name: analyze
analyze pg_temp._undo

-- name: find_heirs
update pg_temp._undo as touched
set heir = seen.origin
from (
    select id, min(batch.origin) as origin
    from (
        select origin, unnest(ids) as id from dropload.seen where dataset = %(dataset)s and origin >= %(beyond)s
    ) as batch
    join pg_temp._undo as touched using (id)
    where touched.next is null or batch.origin < touched.next
    group by id
) as seen
where seen.id = touched.id

-- name: decide
update pg_temp._undo as touched
set fate = case
    when not own and not exists (select from {table} as kept where kept.id = touched.id) then 'gone'
    when heir is not null or next is not null or not as_left then 'changed'
    when was is null then 'deleted'
    else 'restored'
end

-- name: count_made
select count(*) as rows from pg_temp._undo where was is null

-- name: gather_sums
-- Each row that the job added to: what, whether others have added to it, and whether all of those are known.
create temp table _undo on commit drop as
with mine as (
    select id, key, sum(value::numeric) as total
    from dropload.before, jsonb_each_text(was)
    where origin >= %(first)s and origin < %(beyond)s and dataset = %(dataset)s
    group by id, key
), added as (
    select id, jsonb_object_agg(key, total) as was from mine group by id
)
select added.id, added.was, others.origin as heir, kept.id is null as gone,
       kept._origin >= %(first)s and kept._origin < %(beyond)s as own,
       exists (
           select from dropload.before as maker
           where maker.dataset = %(dataset)s and maker.id = added.id and maker.was_origin is null
             and maker.origin >> 23 = kept._origin >> 23
       ) as known,
       case when kept.id is null then 'gone'
            when others.origin is not null then 'subtracted'
            when kept._origin >= %(first)s and kept._origin < %(beyond)s then 'deleted'
            else 'subtracted' end as fate
from added
left join {table} as kept using (id)
left join lateral (
    select min(origin) as origin
    from dropload.before as other
    where other.dataset = %(dataset)s and other.id = added.id and other.was_origin is null
      and not (other.origin >= %(first)s and other.origin < %(beyond)s)
) as others on true

-- name: references
-- Foreign keys that refer to the table: from which, and by which columns to which.
select conrelid::regclass::text as table, conrelid = confrelid as itself,
       (select array_agg(attname::text order by place) from unnest(conkey) with ordinality as part (number, place)
        join pg_attribute on attrelid = conrelid and attnum = number) as columns,
       (select array_agg(attname::text order by place) from unnest(confkey) with ordinality as part (number, place)
        join pg_attribute on attrelid = confrelid and attnum = number) as keys
from pg_constraint
where confrelid = {target}::regclass and contype = 'f' and conparentid = 0
order by conname

-- name: hold_back
-- Rows that rows of other tables refer to, or rows of the same one that stay, stay as well.
update pg_temp._undo as touched
set fate = 'held'
from {table} as kept
where kept.id = touched.id and touched.fate = 'deleted'
  and exists (select from {other} as other where {same} and not (%(itself)s and exists (
      select from pg_temp._undo as too where too.id = {other_id} and too.fate = 'deleted'
  )))

-- name: counts
select fate, count(*) as rows, coalesce(sum(hashtextextended(row_to_json(touched)::text, 0)::numeric), 0)::text as sum
from (select id, fate, heir from pg_temp._undo) as touched
group by fate

-- name: resolved
with recursive line as (
    select parent from dropload.job where number = %(job)s
    union all
    select job.parent from line join dropload.job on job.number = line.parent
)
select rejection.job, count(*) as records
from line join dropload.rejection on rejection.job = line.parent and rejection.resolved_by = %(job)s
group by rejection.job

-- name: unresolve
update dropload.rejection set resolved_by = null where job = any(%(jobs)s) and resolved_by = %(job)s

-- name: count_unresolved
update dropload.job set resolved = resolved - %(records)s where number = %(number)s

-- name: delete
set constraints all immediate;
delete from {table} as kept using pg_temp._undo as touched where kept.id = touched.id and touched.fate = 'deleted'

-- name: restore
set constraints all immediate;
update {table} as kept
set {assignments}, _origin = old._origin
from (
    select kept.id, touched.was_origin as _origin, {old}
    from pg_temp._undo as touched
    join {table} as kept using (id)
    cross join lateral jsonb_populate_record(kept, touched.was) as old
    where touched.fate = 'restored'
) as old
where kept.id = old.id

-- name: restore_one
update {table} as kept
set {assignments}, _origin = old._origin
from (
    select kept.id, touched.was_origin as _origin, {old}
    from pg_temp._undo as touched
    join {table} as kept using (id)
    cross join lateral jsonb_populate_record(kept, touched.was) as old
    where touched.id = $1
) as old
where kept.id = old.id

-- name: restore_singly
with refused as (
    select unnest(dropload.restore_singly(%(restore_one)s, array(
        select id from pg_temp._undo where fate = 'restored' order by origin desc, id desc
    ))) as id
)
update pg_temp._undo as touched set fate = 'refused' from refused where refused.id = touched.id

-- name: hand_over
-- What later batches found right is theirs from now on, and so is what would have to be restored for that.
update {table} as kept set _origin = touched.heir
from pg_temp._undo as touched
where kept.id = touched.id and touched.heir is not null and touched.own and touched.fate = 'changed';
insert into dropload.before (origin, id, dataset, was, was_origin, became)
select heir, id, %(dataset)s, was, was_origin, became from pg_temp._undo where heir is not null and was is not null
on conflict (origin, id) do nothing;
update dropload.before as later
set was_origin = touched.heir
from pg_temp._undo as touched
where later.origin = touched.next and later.id = touched.id and touched.heir is not null

-- name: take_out
-- A later batch's change is one of what was before the job; where the job made the row, it is a row made by that batch.
update dropload.before as later
set was = touched.was, was_origin = touched.was_origin
from pg_temp._undo as touched
where later.origin = touched.next and later.id = touched.id and touched.heir is null

-- name: subtract
-- Nothing is left of a measure where nobody else has added anything to it, if all who have are known.
update {table} as kept
set {assignments}, _origin = case when touched.own and touched.heir is not null then touched.heir else kept._origin end
from pg_temp._undo as touched
where kept.id = touched.id and touched.fate in ('subtracted', 'held')

-- name: forget
delete from dropload.before where origin >= %(first)s and origin < %(beyond)s;
delete from dropload.seen where dataset = %(dataset)s and origin >= %(first)s and origin < %(beyond)s

-- name: undone
update dropload.job set undone_at = now(), retry_at = null where number = %(job)s

-- name: ask
insert into dropload.undo (job, token) values (%(job)s, %(token)s)
on conflict (job) do update
set token = excluded.token, asked_at = now(), sent_at = now(), finished_at = null, counts = null, reason = null
where undo.reason is not null

-- name: asked
select undo.token from dropload.undo join dropload.job on job.number = undo.job
where job.id = %(id)s and undo.finished_at is null
for update of undo

-- name: finish
update dropload.undo
set finished_at = now(), counts = %(counts)s, reason = %(reason)s
where job = (select number from dropload.job where id = %(id)s) and finished_at is null

-- name: take_lost
update dropload.undo set sent_at = now()
from dropload.job
where job.number = undo.job and undo.finished_at is null and undo.sent_at < now() - interval '15 minutes'
returning job.id
