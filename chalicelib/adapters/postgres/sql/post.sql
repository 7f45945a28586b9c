-- Notices become letters, and letters are sent; each is taken under a lock.

-- name: lock
-- Who puts notices into letters, and closes these, is alone.
select pg_advisory_xact_lock(hashtextextended('dropload.letter', 0))

-- name: open_letters
insert into dropload.letter (kind, audience, dataset)
select distinct 'jobs', outbox.audience, job.dataset
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.sent_at is null and outbox.given_up_at is null and outbox.letter is null and outbox.audience <> 'topic'
on conflict (audience, dataset) where kind = 'jobs' and closed_at is null do nothing

-- name: join_letters
update dropload.outbox
set letter = letter.number
from dropload.job, dropload.letter
where outbox.sent_at is null and outbox.given_up_at is null and outbox.letter is null and outbox.audience <> 'topic'
  and job.number = outbox.job
  and letter.audience = outbox.audience and letter.dataset = job.dataset
  and letter.kind = 'jobs' and letter.closed_at is null

-- name: open
-- One whose notices were all taken back by redrives is as old as it is itself.
select letter.number, letter.wakes_at,
       coalesce(notices.oldest, letter.created_at) as oldest, coalesce(notices.newest, letter.created_at) as newest,
       (select max(earlier.closed_at) from dropload.letter as earlier
        where earlier.kind = 'jobs' and earlier.audience = letter.audience and earlier.dataset = letter.dataset
          and earlier.number <> letter.number) as last
from dropload.letter
cross join lateral (
    select min(created_at) as oldest, max(created_at) as newest from dropload.outbox where outbox.letter = letter.number
) as notices
where letter.kind = 'jobs' and letter.closed_at is null
order by letter.number

-- name: close
update dropload.letter set closed_at = %(now)s, due_at = %(now)s where number = %(number)s and closed_at is null

-- name: wake
update dropload.letter set wakes_at = %(at)s where number = %(number)s

-- name: take
select number, id, kind, audience, dataset, about, attempts
from dropload.letter
where closed_at is not null and sent_at is null and given_up_at is null and due_at <= %(now)s
order by number
limit 1
for update skip locked

-- name: sent
update dropload.letter set sent_at = %(now)s, attempts = attempts + 1 where number = %(number)s

-- name: notices_sent
update dropload.outbox set sent_at = %(now)s, attempts = attempts + 1 where letter = %(number)s

-- name: postpone
-- A minute after the first failure, then twice as long each time, up to a day.
update dropload.letter
set attempts = attempts + 1, given_up_at = case when %(given_up)s then %(now)s::timestamptz end,
    due_at = %(now)s::timestamptz + least(power(2, least(attempts, 11)) * interval '1 minute', interval '1 day')
where number = %(number)s and sent_at is null

-- name: notices_given_up
update dropload.outbox set given_up_at = %(now)s where letter = %(number)s and sent_at is null

-- name: take_event
select outbox.number, outbox.attempts, job.id
from dropload.outbox join dropload.job on job.number = outbox.job
where outbox.audience = 'topic' and outbox.sent_at is null and outbox.given_up_at is null and outbox.due_at <= %(now)s
order by outbox.number
limit 1
for update of outbox skip locked

-- name: give_up_events
-- The topic is gone.
update dropload.outbox set given_up_at = %(now)s
where audience = 'topic' and sent_at is null and given_up_at is null

-- name: event_sent
update dropload.outbox set sent_at = %(now)s, attempts = attempts + 1 where number = %(number)s

-- name: postpone_event
update dropload.outbox
set attempts = attempts + 1, given_up_at = case when %(given_up)s then %(now)s::timestamptz end,
    due_at = %(now)s::timestamptz + least(power(2, least(attempts, 11)) * interval '1 minute', interval '1 day')
where number = %(number)s and sent_at is null

-- name: add
insert into dropload.letter (kind, audience, dataset, about, closed_at)
values (%(kind)s, %(audience)s, %(dataset)s, %(about)s, now())
on conflict (kind, audience, dataset, about) do nothing

-- name: forget
-- The last one of each audience and dataset stays, since the next one keeps its distance to it.
delete from dropload.letter
where coalesce(sent_at, given_up_at) < %(before)s
  and (kind <> 'jobs' or exists (
      select from dropload.letter as later
      where later.kind = 'jobs' and later.audience = letter.audience and later.dataset = letter.dataset
        and later.number > letter.number))
