-- Deliveries on their way. The time is the caller's: %(now)s.

-- name: lease
-- Webhooks with something due that nobody is delivering to; whoever has waited longest comes first.
update dropload.webhook
set lease = %(lease)s, leased_until = %(now)s + %(seconds)s * interval '1 second', served_at = clock_timestamp()
where number in (
    select number
    from dropload.webhook
    where state = 'enabled' and (leased_until is null or leased_until <= %(now)s)
      and (paused_until is null or paused_until <= %(now)s)
      and exists (select from dropload.webhook_delivery as delivery
                  where delivery.webhook = webhook.number and delivery.state = 'pending' and delivery.due_at <= %(now)s)
    order by served_at nulls first, number
    limit %(limit)s
    for update skip locked
)
returning number

-- name: first_due
-- Of each of these webhooks, seen by a statement of its own: what another worker booked before the lease is over then.
select webhook.number as webhook, webhook.id as webhook_id, webhook.url, webhook.salt, webhook.failures,
       webhook.failing_since, case when webhook.old_until > %(now)s then webhook.old_salt end as old_salt,
       delivery.number, delivery.id, delivery.attempts, delivery.first_at, message.event, message.payload
from dropload.webhook
cross join lateral (
    select *
    from dropload.webhook_delivery
    where webhook = webhook.number and state = 'pending' and due_at <= %(now)s
    order by due_at, number
    limit 1
) as delivery
join dropload.webhook_message as message on message.number = delivery.message
where webhook.number = any (%(webhooks)s)

-- name: lock
-- In the order of numbers, as everybody does who books several at once.
select 1 from dropload.webhook where number = any (%(webhooks)s) order by number for update

-- name: attempt
-- Not of one that was removed with its webhook meanwhile.
insert into dropload.webhook_attempt (delivery, number, at, status, milliseconds, error)
select number, (select coalesce(max(number), 0) + 1 from dropload.webhook_attempt where delivery = %(delivery)s),
       %(at)s, %(status)s, %(milliseconds)s, %(error)s
from dropload.webhook_delivery
where number = %(delivery)s

-- name: book
update dropload.webhook_delivery
set state = %(state)s, attempts = attempts + 1, first_at = coalesce(first_at, %(at)s),
    due_at = coalesce(%(due_at)s, due_at), ended_at = case when %(state)s <> 'pending' then %(now)s end
where number = %(delivery)s and state = 'pending'

-- name: succeeded
update dropload.webhook
set failures = 0, failing_since = null, paused_until = null
where number = %(webhook)s and failures > 0

-- name: failed
update dropload.webhook
set failures = failures + 1, failing_since = coalesce(failing_since, %(at)s), paused_until = %(paused_until)s
where number = %(webhook)s

-- name: hurry
-- It is back: what waits for a later attempt is due now.
update dropload.webhook_delivery
set due_at = %(now)s
where webhook = %(webhook)s and state = 'pending' and due_at > %(now)s

-- name: disable
update dropload.webhook
set state = 'disabled', reason = %(reason)s, updated_at = now()
where number = %(webhook)s and state = 'enabled'

-- name: cancel
update dropload.webhook_delivery
set state = 'cancelled', ended_at = %(now)s
where webhook = %(webhook)s and state = 'pending'

-- name: release
update dropload.webhook
set lease = null, leased_until = null
where number = any (%(webhooks)s) and lease = %(lease)s

-- name: next_due
-- When the next delivery can be made. One that somebody is making comes back should they die.
select min(greatest(pending.due_at, webhook.paused_until, webhook.leased_until)) as at
from dropload.webhook
cross join lateral (
    select min(due_at) as due_at from dropload.webhook_delivery where webhook = webhook.number and state = 'pending'
) as pending
where webhook.state = 'enabled' and pending.due_at is not null

-- name: wake
-- Nothing where a message comes by then, anyway; one that should have come may have been lost.
update dropload.webhook_wake
set at = %(at)s
where at > %(at)s + interval '1 second' or at <= %(now)s
returning at

-- name: wake_for_records
-- Nothing, either, where nobody wants to know.
update dropload.webhook_wake
set at = %(at)s
where (at > %(at)s + interval '1 second' or at <= %(now)s)
  and exists (select from dropload.webhook where state = 'enabled' and events && %(events)s)
  and exists (select from dropload.record_event where not told)
returning at

-- name: forget_payloads
update dropload.webhook_message as message
set payload = null
where number in (
    select number
    from dropload.webhook_message as told
    where payload is not null and spread_at is not null
      and not exists (select from dropload.webhook_delivery where message = told.number and state = 'pending')
    order by number
    limit %(limit)s
    for update skip locked
)

-- name: forget_messages
-- With their deliveries and attempts, when all of these ended long ago.
delete from dropload.webhook_message
where number in (
    select number
    from dropload.webhook_message as old
    where spread_at < %(now)s - %(days)s * interval '1 day'
      and not exists (select from dropload.webhook_delivery
                      where message = old.number
                        and (ended_at is null or ended_at > %(now)s - %(days)s * interval '1 day'))
    order by number
    limit %(limit)s
    for update skip locked
)
