-- What is old enough is forgotten, a slice at a time.

-- name: expire_undo
-- What a job changed is needed for longer where a job that may still be undone was under way beside or before it.
update dropload.job as old
set keeps = false, expiring = true
where dataset = %(dataset)s and keeps and finished_at < now() - %(days)s * interval '1 day'
  and not exists (
      select from dropload.job as young
      where young.dataset = old.dataset and young.keeps and young.number <> old.number
        and young.created_at <= old.finished_at
        and (young.finished_at is null or young.finished_at >= now() - %(days)s * interval '1 day')
  )

-- name: datasets_that_keep
select distinct dataset from dropload.job where keeps

-- name: expiring
select number from dropload.job where expiring order by number limit 1 for update skip locked

-- name: delete_before
delete from dropload.before
where ctid = any (array(
    select ctid from dropload.before where origin >= %(first)s and origin < %(beyond)s limit %(limit)s
))

-- name: expired
update dropload.job set expiring = false where number = %(number)s

-- name: hold_place
select place from dropload.forgetting for update

-- name: move_place
update dropload.forgetting set place = %(place)s

-- name: writers
-- From one writer to the next by the key, without reading what lies between. What the API has written is of use as long
-- as an earlier job may be undone.
with recursive writer as (
    (select origin, dataset from dropload.before where origin >= %(place)s order by origin limit 1)
    union all
    select next.origin, next.dataset
    from writer cross join lateral (
        select origin, dataset from dropload.before
        where origin >= ((writer.origin >> 23) + 1) << 23
        order by origin
        limit 1
    ) as next
), found as (
    select origin >> 23 as number, dataset from writer limit %(limit)s
)
select number,
       not exists (select from dropload.job where job.number = found.number)
       and not exists (
           select from dropload.job where job.dataset = found.dataset and keeps and job.number < found.number
       ) as idle
from found
order by number

-- name: delete_writes
delete from dropload.before using unnest(%(numbers)s::bigint[]) as writer (number)
where origin >= writer.number << 23 and origin < (writer.number + 1) << 23

-- name: due
-- Jobs that nothing needs any more: they have ended long ago, and no other job refers to them.
select number
from dropload.job as old
where finished_at < now() - %(days)s * interval '1 day'
  and not keeps and not expiring and retry_at is null and (after_load is null or tidied_at is not null)
  and not exists (select from dropload.job where parent = old.number)
  and not exists (select from dropload.job where duplicate_of = old.number)
  and not exists (select from dropload.job where again_of = old.number)
  and not exists (select from dropload.outbox where outbox.job = old.number and sent_at is null
                  and given_up_at is null)
  and not exists (select from dropload.undo where undo.job = old.number and undo.finished_at is null)
  and not exists (select from dropload.replaced where replaced.job = old.number)
order by finished_at
limit %(limit)s
for update skip locked

-- name: delete_rejections
delete from dropload.rejection
where ctid = any (array(select ctid from dropload.rejection where job = any (%(jobs)s) limit %(limit)s))

-- name: delete_jobs
delete from dropload.job where number = any (%(jobs)s)

-- name: delete_events
delete from dropload.record_event
where number in (
    select number from dropload.record_event
    where told and created_at < now() - %(days)s * interval '1 day'
    order by created_at
    limit %(limit)s
)

-- name: delete_answers
delete from dropload.answer
where (caller, key) in (
    select caller, key from dropload.answer
    where created_at < now() - %(seconds)s * interval '1 second'
    order by created_at
    limit %(limit)s
)

-- name: delete_exports
delete from dropload.export
where number in (
    select number from dropload.export
    where finished_at < now() - %(days)s * interval '1 day'
    order by number
    limit %(limit)s
)
