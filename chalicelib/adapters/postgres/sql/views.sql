-- What the API shows.

-- name: jobs
select job.number, job.id, job.dataset, job.state, job.reason, original.id as duplicate_of, parent.id as parent,
       first.id as again_of, undo.asked_at as undo_asked_at, undo.finished_at as undo_finished_at,
       undo.counts as undo_counts, undo.reason as undo_reason,
       job.bucket, job.key, job.version_id, job.etag, job.size,
       job.container, job.format, job.encoding, job.delimiter, job.validate_only,
       (select shown from dropload.source where source.job = job.number) as source,
       array(select child.id from dropload.job as child where child.parent = job.number
             order by child.number desc limit %(children)s) as children,
       job.read, job.inserted, job.updated, job.unchanged, job.ignored, job.rejected, job.resolved,
       job.created_at, job.started_at, job.finished_at,
       job.attempts, job.retry_at, case when job.state = 'PENDING' and job.starts_at > now() then job.starts_at end as starts_at,
       job.split_done, job.data_start,
       progress.pending, progress.running, progress.succeeded, progress.failed, progress.cancelled,
       job.data_start + progress.bytes_done as bytes_done, sized.bytes_total,
       -- The books balance when nothing is under way, the batches tile all that was split, each balances, and they add
       -- up to the job. One that failed or was cancelled has read nothing. A file that did not fail is split to its end.
       job.state = 'DUPLICATE' or
       job.split_done and progress.pending + progress.running = 0
         and progress.gaps = 0 and progress.bytes = job.split_offset - job.data_start
         and (job.state in ('FAILED', 'CANCELLED') or job.staged or job.split_offset = job.size)
         and progress.counts = array[job.read, job.inserted, job.updated, job.unchanged, job.ignored, job.rejected]
         and job.read = job.inserted + job.updated + job.unchanged + job.ignored + job.rejected as balanced
from dropload.job
left join dropload.job as original on original.number = job.duplicate_of
left join dropload.job as parent on parent.number = job.parent
left join dropload.job as first on first.number = job.again_of
left join dropload.undo on undo.job = job.number
cross join lateral (
    select count(*) filter (where state = 'pending') as pending,
           count(*) filter (where state = 'running') as running,
           count(*) filter (where state = 'succeeded') as succeeded,
           count(*) filter (where state = 'failed') as failed,
           count(*) filter (where state = 'cancelled') as cancelled,
           coalesce(sum(byte_end - byte_start) filter (where state = 'succeeded'), 0)::bigint as bytes_done,
           coalesce(sum(byte_end - byte_start), 0) as bytes,
           array[coalesce(sum(read), 0), coalesce(sum(inserted), 0), coalesce(sum(updated), 0),
                 coalesce(sum(unchanged), 0), coalesce(sum(ignored), 0), coalesce(sum(rejected), 0)]::bigint[] as counts,
           count(*) filter (where byte_start <> expected) as gaps
    from (
        select batch.*, lag(byte_end, 1, job.data_start) over (order by batch.number) as expected
        from dropload.batch
        where batch.job = job.number
    ) as tiled
) as progress
cross join lateral (
    -- How much data a staged job has is known when all of them have been unpacked.
    select case when not job.staged then job.size when job.split_done then job.split_offset end as bytes_total
) as sized
where (%(id)s::uuid is null or job.id = %(id)s)
  and (%(dataset)s::text is null or job.dataset = %(dataset)s)
  and (%(datasets)s::text[] is null or job.dataset = any (%(datasets)s))
  and (%(state)s::text is null or job.state = %(state)s)
  and (%(key)s::text is null or job.key = %(key)s)
  and (%(before)s::uuid is null or job.number < (select number from dropload.job where id = %(before)s))
order by job.number desc
limit %(limit)s

-- name: glance
-- What a job's view is made of, but for the sums over its batches, each of which moves one of these.
select job.state, job.reason, job.attempts, job.retry_at, job.starts_at, job.finished_at, job.resolved, job.read,
       job.split_done, job.split_offset, job.batches, job.batches_ended, job.batches_failed,
       (select count(*) from dropload.batch where batch.job = job.number and state = 'running') as running,
       (select max(child.number) from dropload.job as child where child.parent = job.number) as newest_child,
       (select finished_at from dropload.undo where undo.job = job.number) as undone
from dropload.job
where id = %(id)s

-- name: causes
-- The hundred most frequent of each job.
select job, code, "column", count, example_line
from (
    select job, code, nullif("column", '') as "column", sum(count)::bigint as count, min(example_line) as example_line,
           row_number() over (partition by job order by sum(count) desc, code, "column") as place
    from dropload.cause
    where job = any (%(numbers)s)
    group by job, code, "column"
) as each
where place <= 100
order by job, place

-- name: first_lines
-- The first lines of each cause, found among the job's first rejections.
select code, "column", (array_agg(line order by line))[1:%(lines)s] as lines
from (
    select error ->> 'code' as code, error ->> 'column' as "column", line
    from (
        select line, errors from dropload.rejection where job = %(number)s order by batch, record limit %(limit)s
    ) as first, jsonb_array_elements(first.errors) as error
) as each
group by code, "column"

-- name: rejections
-- A record's number in the file is known once all earlier batches have been read.
select rejection.batch, rejection.record as place, rejection.line, rejection.errors,
       case when base.known then base.records + rejection.record end as record,
       -- Of a record that is not kept, or that is not asked for, there are no bytes.
       case when octet_length(rejection.raw) between 1 and %(raw_bytes)s then rejection.raw end as raw,
       job.dataset, job.columns, job.format, job.delimiter
from dropload.job
join lateral (
    select number, sum(read) over earlier - read as records,
           bool_and(state = 'succeeded') over earlier as known
    from dropload.batch
    where batch.job = job.number
    window earlier as (order by number)
) as base on true
join dropload.rejection on rejection.job = job.number and rejection.batch = base.number
where job.id = %(id)s and (rejection.batch, rejection.record) > (%(batch)s, %(record)s)
order by rejection.batch, rejection.record
limit %(limit)s

-- name: batches
select batch.number, batch.state, batch.byte_start, batch.byte_end, batch.first_line, batch.attempts,
       batch.read, batch.rejected
from dropload.job
join dropload.batch on batch.job = job.number
where job.id = %(id)s and batch.number > %(after)s
order by batch.number
limit %(limit)s

-- name: ping
select 1
