-- What stands still, and the listing of what was dropped.

-- name: place
select place from dropload.sweep

-- name: keep_place
update dropload.sweep set place = %(place)s

-- name: missed
-- Of a page of objects those that have no job, and never had one.
select listed.at::integer as at
from unnest(%(keys)s::text[], %(revisions)s::text[], %(modified)s::timestamptz[])
     with ordinality as listed (key, revision, modified, at)
where listed.modified > (select forgotten from dropload.sweep)
  and not exists (
      select from dropload.job
      -- Without versions, validating a file and loading it are two jobs.
      where bucket = %(bucket)s and key = listed.key and revision in (listed.revision, listed.revision || ':validate')
  )
order by listed.modified, listed.key

-- name: take_back
-- Batches that were begun longer ago than a worker may live. Whoever holds one is at work on it.
with dead as (
    select job, number
    from dropload.batch
    where state = 'running' and started_at < now() - %(idle_seconds)s * interval '1 second'
    order by started_at
    limit %(limit)s
    for update skip locked
)
update dropload.batch
set state = 'pending', started_at = null
from dead, dropload.job
where (batch.job, batch.number) = (dead.job, dead.number) and job.number = batch.job
returning job.id, batch.number, batch.attempts

-- name: take_stuck
-- Open jobs at which nothing has happened for a while, nor a sweep; those that were never swept first. Without any news
-- the while is twice as long each time: most often their messages are not lost, but wait behind others.
-- Whoever holds a job's row for long, as a replay does, is at work on it.
with still as (
    select number, news
    from dropload.job as open
    cross join lateral (
        select greatest(
            created_at,
            (select max(greatest(created_at, started_at, finished_at)) from dropload.batch where job = open.number)
        ) as news
    ) as latest
    where finished_at is null
      and (state <> 'PENDING' or starts_at is null or starts_at <= now())
      and greatest(news, swept_at) < now() - interval '1 second'
            * case when split_done and batches_ended = batches then %(finish_seconds)s else %(idle_seconds)s end
            * case when swept_at >= news then power(2, least(sweeps, 5)) else 1 end
    order by swept_at nulls first, number
    limit %(limit)s
    for no key update of open skip locked
)
update dropload.job
set swept_at = now(), sweeps = case when swept_at >= news then sweeps + 1 else 1 end
from still
where job.number = still.number
returning job.*

-- name: due_notices
select (select count(*) from dropload.letter
        where closed_at is not null and sent_at is null and given_up_at is null and due_at <= now())
     + (select count(*) from dropload.outbox
        where letter is null and sent_at is null and given_up_at is null and due_at <= now()) as due
