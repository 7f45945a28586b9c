-- What waits for its time: jobs that are tried again, jobs that are held back.

-- name: count_attempt
-- As long as it is to be tried again, nobody is told, and its duplicates stay duplicates.
update dropload.job
set attempts = attempts + 1, retry_at = now() + %(seconds)s * interval '1 second'
where number = %(number)s

-- name: take_retries
-- Jobs whose time has come; not given again for a while, in which they begin or are refused.
update dropload.job
set retry_at = now() + interval '15 minutes'
where number in (
    select number from dropload.job
    where retry_at <= now() and state = 'FAILED'
    order by retry_at
    limit %(limit)s
    for no key update skip locked
)
returning id

-- name: give_up
update dropload.job
set retry_at = null, reason = %(reason)s
where id = %(id)s and state = 'FAILED' and retry_at is not null
returning number, id, dataset, validate_only, inserted + updated as changed

-- name: begin_again
-- As if it had just been opened. Nothing of it is in its dataset's table.
update dropload.job
set state = %(state)s, reason = null, columns = null, labels = null, delimiter = null, encoding = null, container = null,
    format = 'csv', staged = false, stopped = false, replaces = false, gathers = false, after_load = null,
    data_start = 0, split_offset = 0, split_line = 1, split_done = false,
    batches = 0, batches_ended = 0, batches_failed = 0,
    read = 0, inserted = 0, updated = 0, unchanged = 0, ignored = 0, rejected = 0,
    started_at = null, finished_at = null, starts_at = null, retry_at = null, trouble = null, swept_at = now(), sweeps = 0
where number = %(number)s

-- name: forget_batches
delete from dropload.batch where job = %(number)s

-- name: limit_attempts
update dropload.job
set attempts = %(before)s, max_attempts = %(most)s
where number = %(number)s and state = 'PENDING' and columns is null and attempts = 0 and max_attempts is null

-- name: open_unasked
update dropload.job set asked = false where number = %(number)s and state = 'PENDING' and columns is null

-- name: ask
-- Without versions, validating a file and loading it are two jobs.
update dropload.job
set asked = true, validate_only = %(validate_only)s, attempts = attempts + %(before)s, max_attempts = %(most)s,
    revision = revision || case when %(validate_only)s and version_id is null then ':validate' else '' end
where number = %(number)s and not asked

-- name: hold
update dropload.job
set starts_at = %(until)s
where number = %(number)s and state = 'PENDING' and columns is null and starts_at is null

-- name: held
-- Jobs whose time has come, or which wait for no window any more.
select *
from dropload.job
where state = 'PENDING' and starts_at <= %(now)s and not released
order by starts_at, number
limit %(limit)s

-- name: hold_on
update dropload.job set starts_at = %(until)s where number = %(number)s and state = 'PENDING' and not released

-- name: release
-- Said once, it holds: no window is asked for this job again.
update dropload.job
set released = true, starts_at = least(starts_at, %(now)s), swept_at = now()
where id = %(id)s and state = 'PENDING'
returning number

-- name: note_trouble
update dropload.job set trouble = %(reason)s where id = %(id)s and finished_at is null

-- name: trouble
select trouble from dropload.job where id = %(id)s
