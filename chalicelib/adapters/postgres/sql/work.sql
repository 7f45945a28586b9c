-- What work took.

-- name: add
insert into dropload.work (job, what, times, worked_ms, mb_ms)
values (%(job)s, %(what)s, %(times)s, %(worked_ms)s, %(mb_ms)s)
on conflict (job, what) do update
set times = work.times + excluded.times, worked_ms = work.worked_ms + excluded.worked_ms,
    mb_ms = work.mb_ms + excluded.mb_ms

-- name: add_to_batch
update dropload.batch
set worked_ms = worked_ms + %(worked_ms)s, mb_ms = mb_ms + %(mb_ms)s
where job = %(job)s and number = %(batch)s

-- name: facts
-- What a receipt is made from. Of a job that has not ended the clock still runs.
select job.id, job.dataset, job.state, job.read, job.rejected, job.size, loaded.staged_writes,
       extract(epoch from coalesce(job.finished_at, clock_timestamp()) - job.created_at)::float8 as wall_seconds,
       extract(epoch from coalesce(job.finished_at, clock_timestamp()) - job.started_at)::float8 as loading_seconds,
       loaded.batches, loaded.attempts, loaded.worked_ms, loaded.mb_ms,
       coalesce((
           select jsonb_object_agg(what, jsonb_build_object('times', times, 'worked_ms', worked_ms, 'mb_ms', mb_ms))
           from dropload.work where work.job = job.number
       ), '{}') as work
from dropload.job
cross join lateral (
    select count(*) as batches, coalesce(sum(attempts), 0)::bigint as attempts,
           coalesce(sum(case when byte_end - byte_start <= %(part)s then 1
                             else 2 + (byte_end - byte_start + %(part)s - 1) / %(part)s end)
                    filter (where job.staged and not oversize), 0)::bigint as staged_writes,
           coalesce(sum(batch.worked_ms), 0)::bigint as worked_ms, coalesce(sum(batch.mb_ms), 0)::bigint as mb_ms
    from dropload.batch
    where batch.job = job.number
) as loaded
where job.id = %(id)s
