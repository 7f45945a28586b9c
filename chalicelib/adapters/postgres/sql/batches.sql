-- A batch is pending until someone begins it, and ends in the transaction that loads its rows.

-- name: insert
insert into dropload.batch (job, number, byte_start, byte_end, first_line, oversize) values %s

-- name: pending
select number from dropload.batch where job = %(number)s and state in ('pending', 'running') order by number

-- name: begin
-- A job that is being cancelled, was stopped or has ended wants no more batches.
update dropload.batch
set state = case when wanted then 'running' else 'cancelled' end,
    attempts = batch.attempts + 1, started_at = now(), finished_at = case when wanted then null else now() end
from (
    select job.*, state = 'RUNNING' and not stopped
                  and not exists (select from dropload.cancellation where cancellation.job = job.number) as wanted
    from dropload.job
    where id = %(id)s
) as job
where batch.job = job.number and batch.number = %(batch)s and batch.state in ('pending', 'running')
returning job.*, batch.byte_start, batch.byte_end, batch.first_line, batch.oversize, batch.state as batch_state

-- name: lock
-- One that has only been read yet is not placed any more when its job has been called off meanwhile.
select exists (select from dropload.cancellation where job = %(job)s) as unwanted
from dropload.batch
where job = %(job)s and number = %(batch)s and state = 'running'
for update

-- name: succeed
update dropload.batch
set state = 'succeeded', finished_at = clock_timestamp(), read = %(read)s, inserted = %(inserted)s,
    updated = %(updated)s, unchanged = %(unchanged)s, ignored = %(ignored)s, rejected = %(rejected)s,
    gathered = %(gathered)s, worked_ms = worked_ms + %(worked_ms)s, mb_ms = mb_ms + %(mb_ms)s
where job = %(job)s and number = %(batch)s

-- name: copy_rejections
copy dropload.rejection (job, batch, record, line, byte_offset, byte_length, errors, raw, corrects) from stdin

-- name: insert_causes
insert into dropload.cause (job, batch, code, "column", count, example_line) values %s

-- name: add_to_job
-- Last in the transaction: it serialises the job's batches, so exactly one of them sees itself as the last.
update dropload.job
set batches_ended = batches_ended + 1, read = read + %(read)s, inserted = inserted + %(inserted)s,
    updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s, ignored = ignored + %(ignored)s,
    rejected = rejected + %(rejected)s
where number = %(job)s
returning read, rejected, split_done and batches_ended = batches as complete

-- name: stop
-- Batches that someone is just beginning are left to him: he waits for the job's row, which this transaction has.
with cancelled as (
    update dropload.batch set state = 'cancelled', finished_at = now()
    where job = %(job)s and number in (
        select number from dropload.batch where job = %(job)s and state = 'pending' for update skip locked
    )
    returning 1
)
update dropload.job
set reason = coalesce(reason, %(reason)s), stopped = true, split_done = true,
    batches_ended = batches_ended + (select count(*) from cancelled)
where number = %(job)s
returning batches_ended = batches as complete

-- name: fail
update dropload.batch
set state = 'failed', finished_at = now()
from dropload.job
where job.id = %(id)s and batch.job = job.number and batch.number = %(batch)s and batch.state in ('pending', 'running')
returning batch.job as number

-- name: fail_job
update dropload.job
set batches_ended = batches_ended + 1, batches_failed = batches_failed + 1, reason = coalesce(reason, %(reason)s)
where number = %(number)s

-- name: cancel
update dropload.batch set state = 'cancelled', finished_at = now() where job = %(job)s and number = %(batch)s

-- name: cancel_in_job
update dropload.job set batches_ended = batches_ended + 1 where number = %(number)s
