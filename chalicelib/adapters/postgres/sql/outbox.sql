-- Notices are put in with the state that they tell of, and taken out under a lock.

-- name: put
insert into dropload.outbox (job, audience) values (%(job)s, %(audience)s) on conflict (job, audience) do nothing

-- name: unsent
select 1 from dropload.outbox join dropload.job on job.number = outbox.job
where job.id = %(id)s and outbox.sent_at is null limit 1

-- name: take
select outbox.number, outbox.audience, job.id, job.number as job
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.sent_at is null and outbox.due_at <= now()
order by outbox.number
limit 1
for update of outbox skip locked

-- name: postpone
-- A minute after the first failure, then twice as long each time, up to a day.
update dropload.outbox
set attempts = attempts + 1, due_at = now() + least(power(2, least(attempts, 11)) * interval '1 minute', interval '1 day')
where number = %(number)s and sent_at is null

-- name: sent
update dropload.outbox set sent_at = now(), attempts = attempts + 1 where number = %(number)s
