-- Notices are put in with the state that they tell of.

-- name: put
insert into dropload.outbox (job, audience) values (%(job)s, %(audience)s) on conflict (job, audience) do nothing

-- name: put_duplicate
-- Of a job that ended as it was opened, if it did.
insert into dropload.outbox (job, audience)
select number, 'topic'
from dropload.job
where bucket = %(bucket)s and key = %(key)s and revision = %(revision)s and state = 'DUPLICATE'
on conflict (job, audience) do nothing

-- name: unsent
select 1 from dropload.outbox join dropload.job on job.number = outbox.job
where job.id = %(id)s and outbox.sent_at is null and outbox.given_up_at is null limit 1
