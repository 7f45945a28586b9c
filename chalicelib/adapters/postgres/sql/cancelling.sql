-- A job is called off.

-- name: ask
insert into dropload.cancellation (job)
select number from dropload.job where id = %(id)s and finished_at is null
on conflict (job) do nothing

-- name: asked
select exists (select from dropload.cancellation where job = %(job)s) as found

-- name: be_brief
-- Who holds a job for longer looks into dropload.cancellation, or has nothing left to begin.
set local lock_timeout = '2s'

-- name: hold
select from dropload.job where number = %(job)s and finished_at is null for no key update

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
set state = 'CANCELLING', stopped = true, split_done = true, started_at = coalesce(started_at, now()),
    batches_ended = batches_ended + (select count(*) from cancelled)
where number = %(job)s

-- name: stop_trying
-- A job that has failed, and that would be tried again, is not.
update dropload.job set retry_at = null, reason = %(reason)s
where number = %(job)s and state = 'FAILED' and retry_at is not null
returning number, id, dataset, validate_only, inserted + updated as changed

-- name: forget
delete from dropload.cancellation where job = %(job)s

-- name: number_of
select number, state, coalesce(state = 'FAILED' and reason ->> 'code' = 'called-off', false) as called_off
from dropload.job where id = %(id)s
