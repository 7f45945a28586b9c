-- What letters are about: many jobs, a day, a file that did not come.

-- name: pile
select count(*) as files, count(*) filter (where job.state = 'FAILED') as failed, min(job.bucket) as bucket,
       coalesce(sum(job.read), 0)::bigint as read, coalesce(sum(job.rejected), 0)::bigint as rejected,
       min(job.id::text)::uuid as id, min(job.number) as number
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.letter = %(letter)s

-- name: pile_jobs
select job.id, job.key, job.state, job.read, job.rejected, job.validate_only, job.reason ->> 'code' as code
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.letter = %(letter)s
order by job.number
limit %(files)s

-- name: pile_causes
select cause.code, nullif(cause."column", '') as "column", sum(cause.count)::bigint as count,
       count(distinct cause.job) as files, (array_agg(job.key order by cause.job, cause.batch))[1] as key,
       (array_agg(cause.example_line order by cause.job, cause.batch))[1] as line
from dropload.outbox join dropload.job on job.number = outbox.job join dropload.cause on cause.job = job.number
where outbox.letter = %(letter)s
group by cause.code, cause."column"
order by 3 desc, 1, 2
limit 100

-- name: pile_failures
select job.reason ->> 'code' as code, min(job.reason ->> 'message') as message, count(*) as files
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.letter = %(letter)s and job.state = 'FAILED'
group by 1
order by 3 desc, 1
limit 100

-- name: day
select job.state, count(*) as files,
       coalesce(sum(job.read), 0)::bigint as read, coalesce(sum(job.inserted), 0)::bigint as inserted,
       coalesce(sum(job.updated), 0)::bigint as updated, coalesce(sum(job.unchanged), 0)::bigint as unchanged,
       coalesce(sum(job.ignored), 0)::bigint as ignored, coalesce(sum(job.rejected), 0)::bigint as rejected,
       coalesce(sum(job.rejected - job.resolved), 0)::bigint as unresolved
from dropload.job
where dataset = %(dataset)s and finished_at >= %(start)s and finished_at < %(end)s and not validate_only
group by job.state
order by job.state

-- name: day_causes
select cause.code, nullif(cause."column", '') as "column", sum(cause.count)::bigint as count,
       count(distinct cause.job) as files, (array_agg(job.key order by cause.job, cause.batch))[1] as key,
       (array_agg(cause.example_line order by cause.job, cause.batch))[1] as line
from dropload.job join dropload.cause on cause.job = job.number
where job.dataset = %(dataset)s and job.finished_at >= %(start)s and job.finished_at < %(end)s
  and not job.validate_only
group by cause.code, cause."column"
order by 3 desc, 1, 2
limit 100

-- name: day_failures
select reason ->> 'code' as code, min(reason ->> 'message') as message, count(*) as files
from dropload.job
where dataset = %(dataset)s and finished_at >= %(start)s and finished_at < %(end)s and not validate_only
  and state = 'FAILED'
group by 1
order by 3 desc, 1
limit 100

-- name: day_failed
select id, key, reason ->> 'code' as code
from dropload.job
where dataset = %(dataset)s and finished_at >= %(start)s and finished_at < %(end)s and not validate_only
  and state = 'FAILED'
order by number
limit %(files)s

-- name: ours
select job.reason ->> 'code' as code, min(job.reason ->> 'message') as message, count(*) as files
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.audience = 'engineers' and job.state = 'FAILED'
  and job.finished_at >= %(start)s and job.finished_at < %(end)s
group by 1
order by 3 desc, 1
limit 100

-- name: ours_failed
select job.id, job.dataset, job.key, job.reason ->> 'code' as code
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.audience = 'engineers' and job.state = 'FAILED'
  and job.finished_at >= %(start)s and job.finished_at < %(end)s
order by job.number
limit %(files)s

-- name: open_jobs
select count(*) as files
from dropload.job
where finished_at is null and (%(dataset)s::text is null or dataset = %(dataset)s)

-- name: active
select distinct dataset
from dropload.job
where finished_at >= %(start)s and finished_at < %(end)s and not validate_only
order by 1

-- name: expect
-- The row is left alone while the same is expected, so that it keeps its time.
insert into dropload.expectation (dataset, expected, since)
values (%(dataset)s, %(expected)s, %(now)s)
on conflict (dataset) do update set expected = excluded.expected, since = excluded.since
where expectation.expected <> excluded.expected

-- name: expected_since
select expected, since from dropload.expectation where dataset = %(dataset)s

-- name: came
select 1
from dropload.job
where dataset = %(dataset)s and created_at >= %(start)s and created_at <= %(end)s
  and not validate_only and parent is null
limit 1

-- name: last_came
select max(created_at) as last from dropload.job where dataset = %(dataset)s and not validate_only and parent is null
