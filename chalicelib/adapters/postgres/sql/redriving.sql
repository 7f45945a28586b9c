-- What failed is done again: batches of a job that failed, records that were rejected.

-- name: name_of
select bucket, key from dropload.job where id = %(id)s

-- name: hold
-- Only against changes: its children may refer to it meanwhile.
select * from dropload.job where id = %(id)s for no key update

-- name: under_way
-- The jobs of these names in a job's bucket, and its children; whether they are still at work.
select key, id, finished_at is null as open
from dropload.job
where bucket = %(bucket)s and key = any(%(keys)s) or parent = %(number)s and finished_at is null

-- name: repeated_by
-- A later job of the same bytes under the same name that has loaded them, or is about to.
select id
from dropload.job
where bucket = %(bucket)s and key = %(key)s and etag = %(etag)s and size = %(size)s and number > %(number)s
  and state in ('PENDING', 'RUNNING', 'COMPLETED', 'COMPLETED_WITH_FAILURES') and not validate_only and undone_at is null
order by number
limit 1

-- name: was_stopped
select stopped or exists (select from dropload.batch where job = %(number)s and state = 'cancelled') as found
from dropload.job
where number = %(number)s

-- name: unresolved
select count(*) as records, coalesce(sum(byte_length), 0)::bigint as bytes
from dropload.rejection
where job = %(number)s and resolved_by is null

-- name: again
-- A job of its own, later than all others, so that what it loads has the last word as if its file were dropped now.
insert into dropload.job (id, dataset, bucket, key, revision, version_id, etag, size, batch_bytes, atomic, keeps, parent,
                          again_of)
select %(id)s, dataset, bucket, key,
       revision || ':again:' || 1 + (select count(*) from dropload.job as again where again.again_of = job.number),
       version_id, etag, size, batch_bytes, %(atomic)s, %(keeps)s, parent, number
from dropload.job
where number = %(number)s

-- name: stop_trying
-- A job of its own does what was to be tried again.
update dropload.job set retry_at = null, reason = %(reason)s
where number = %(number)s and state = 'FAILED' and retry_at is not null
returning number, id, dataset, validate_only, inserted + updated as changed

-- name: count_redrive
update dropload.job set redrives = %(redrives)s where number = %(number)s

-- name: restart_batches
update dropload.batch
set state = 'pending', started_at = null, finished_at = null, attempts = 0
where job = %(number)s and state = 'failed'
returning number

-- name: restart_job
-- A split that was given up goes on; where the batches are staged only the split itself knows whether it was at its end.
update dropload.job
set state = %(state)s, reason = null, finished_at = null, swept_at = now(), sweeps = 0, retry_at = null, trouble = null,
    batches_ended = batches_ended - %(batches)s, batches_failed = batches_failed - %(batches)s,
    split_done = split_offset >= size and not staged
where number = %(number)s
returning split_done

-- name: forget_notices
delete from dropload.outbox where job = %(number)s
