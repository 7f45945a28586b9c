-- The life of a job, but for its batches.

-- name: lock_name
-- Two versions of one name are opened one after the other, so that the second sees the first.
select pg_advisory_xact_lock(hashtextextended(%(bucket)s || '/' || %(key)s, 0))

-- name: adopt
-- The object of a job that waits for one has come. Also where that has ended meanwhile: its object is no other job's.
update dropload.job
set revision = %(revision)s, version_id = %(version_id)s, etag = %(etag)s, size = %(size)s,
    batch_bytes = %(batch_bytes)s, fetching = false
where bucket = %(bucket)s and key = %(key)s and fetching

-- name: insert
insert into dropload.job (id, dataset, bucket, key, revision, version_id, etag, size, batch_bytes, validate_only, atomic,
                          keeps, sha256)
values (%(id)s, %(dataset)s, %(bucket)s, %(key)s, %(revision)s, %(version_id)s, %(etag)s, %(size)s, %(batch_bytes)s,
        %(validate_only)s, %(atomic)s, %(keeps)s, %(sha256)s)
on conflict (bucket, key, revision) do nothing

-- name: mark_again
update dropload.job
set again_of = (select number from dropload.job as first
                where first.bucket = %(bucket)s and first.key = %(key)s and first.revision = %(first)s)
where id = %(id)s

-- name: find_same_bytes
-- An earlier job of the same bytes under the same name that has loaded them, or is about to.
select earlier.number, earlier.id
from dropload.job as earlier
where earlier.bucket = %(bucket)s and earlier.key = %(key)s and earlier.etag = %(etag)s and earlier.size = %(size)s
  and earlier.revision <> %(revision)s and not earlier.validate_only and earlier.undone_at is null
  and (earlier.state in ('PENDING', 'RUNNING', 'COMPLETED', 'COMPLETED_WITH_FAILURES') or earlier.retry_at is not null)
  -- Where files replace the table, a repeated one may bring back what a later one has replaced.
  and (
      not exists (select from dropload.replaced where dataset = earlier.dataset)
      or not exists (
          select from dropload.job as later
          where later.dataset = earlier.dataset and later.number > earlier.number
            and (later.bucket, later.key, later.revision) <> (%(bucket)s, %(key)s, %(revision)s)
            and not later.validate_only and later.undone_at is null
            and later.state in ('PENDING', 'RUNNING', 'COMPLETED', 'COMPLETED_WITH_FAILURES')
      )
  )
order by earlier.number
limit 1
for key share of earlier

-- name: mark_duplicate
update dropload.job
set state = 'DUPLICATE', duplicate_of = %(earlier)s, split_done = true, finished_at = now(),
    after_load = (select after_load from dropload.job where number = %(earlier)s)
where bucket = %(bucket)s and key = %(key)s and revision = %(revision)s

-- name: by_revision
select *
from dropload.job
where bucket = %(bucket)s and key = %(key)s and revision = %(revision)s

-- name: by_id
select *
from dropload.job
where id = %(id)s

-- name: start
update dropload.job
set state = 'RUNNING', columns = %(columns)s, labels = %(labels)s, parent = coalesce(parent, %(parent)s),
    delimiter = %(delimiter)s, data_start = %(data_start)s,
    split_offset = %(data_start)s, split_line = %(first_line)s, container = %(container)s, format = %(format)s,
    encoding = %(encoding)s, staged = %(staged)s, replaces = %(replaces)s, gathers = %(gathers)s,
    started_at = now()
where number = %(number)s and state = 'PENDING' and columns is null

-- name: advance_split
-- Only from where the caller believes the split to be: two splitters of one job cannot both append.
update dropload.job
set split_offset = %(split_to)s, split_line = %(line)s, split_done = %(done)s, batches = batches + %(planned)s
where number = %(number)s and split_offset = %(split_from)s and batches = %(batches)s and not split_done
  and not exists (select from dropload.cancellation where cancellation.job = job.number)

-- name: end_split
update dropload.job
set reason = coalesce(reason, %(reason)s), split_done = true, started_at = coalesce(started_at, now())
where number = %(number)s and finished_at is null

-- name: lock_complete
-- Holds the job's row when it has all its batches and has not ended; the one who gets it is the finaliser.
-- A replay holds it for minutes: others may refer to the job meanwhile.
select *
from dropload.job
where id = %(id)s and finished_at is null and split_done and batches_ended = batches
for no key update

-- name: after_load
-- Its duplicates are of no more use than the job's own object.
update dropload.job
set after_load = %(after_load)s
where number = %(number)s or duplicate_of = %(number)s and state = 'DUPLICATE'

-- name: untidy
select *
from dropload.job
where id = %(id)s and after_load is not null and tidied_at is null

-- name: take_untidy
-- Loaded jobs whose object is still to be put away, though they ended a while ago; those that were never swept first.
update dropload.job
set swept_at = now()
where number in (
    select number
    from dropload.job
    where after_load is not null and tidied_at is null
      and greatest(finished_at, swept_at) < now() - %(idle_seconds)s * interval '1 second'
    order by swept_at nulls first, number
    limit %(limit)s
)
returning *

-- name: tidied
update dropload.job set tidied_at = now() where number = %(number)s and tidied_at is null

-- name: end
update dropload.job
set state = %(state)s, reason = %(reason)s, finished_at = now()
where number = %(number)s and finished_at is null

-- name: reopen_duplicate
-- The first of the same bytes that were dropped while this job was under way, and that it did not load after all.
update dropload.job
set state = 'PENDING', duplicate_of = null, split_done = false, finished_at = null, after_load = null
where number = (select min(number) from dropload.job where duplicate_of = %(number)s and state = 'DUPLICATE')
  and not exists (select from dropload.job where number = %(number)s and retry_at is not null)
returning number

-- name: forget_notice_of_duplicate
delete from dropload.outbox where job = %(reopened)s

-- name: pass_on_duplicates
update dropload.job set duplicate_of = %(reopened)s where duplicate_of = %(number)s

-- name: longest_rejection
select max(length(raw)) as bytes from dropload.rejection where job = %(number)s

-- name: rejected_records
-- In file order; a record's number in the file is its number in the batch after all earlier batches' records.
select rejection.line, base.records + rejection.record as record, rejection.errors, rejection.raw
from (
    select number, sum(read) over (order by number) - read as records
    from dropload.batch
    where job = %(number)s
) as base
join dropload.rejection on rejection.job = %(number)s and rejection.batch = base.number
where %(resolved)s or rejection.resolved_by is null
order by rejection.batch, rejection.record

-- name: batch_receipts
select number, state, byte_start, byte_end, first_line, read, inserted, updated, unchanged, ignored, rejected,
       attempts, worked_ms, started_at, finished_at
from dropload.batch
where job = %(number)s
order by number
