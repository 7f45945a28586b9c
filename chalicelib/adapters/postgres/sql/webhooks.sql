-- Webhooks as the API manages them, and the log of what was delivered to them.

-- name: lock
-- So that two who add one at the same time both count.
select pg_advisory_xact_lock(hashtextextended('dropload webhooks', 0))

-- name: count
select count(*) as webhooks from dropload.webhook

-- name: insert
insert into dropload.webhook (id, url, description, datasets, events, salt)
values (%(id)s, %(url)s, %(description)s, %(datasets)s, %(events)s, %(salt)s)

-- name: list
select *
from dropload.webhook
where (%(id)s::uuid is null or id = %(id)s)
  and (%(before)s::uuid is null or number < (select number from dropload.webhook where id = %(before)s))
  and (%(datasets)s::text[] is null or datasets <@ %(datasets)s)
order by number desc
limit %(limit)s

-- name: change
update dropload.webhook
set url = %(url)s, description = %(description)s, datasets = %(datasets)s, events = %(events)s, updated_at = now(),
    paused_until = null, failures = case when url = %(url)s then failures else 0 end,
    failing_since = case when url = %(url)s then failing_since end
where id = %(id)s
returning number

-- name: cancel_unwanted
-- What the webhook would not be told any more.
update dropload.webhook_delivery
set state = 'cancelled', ended_at = now()
from dropload.webhook_message as message, dropload.webhook
where webhook_delivery.webhook = %(number)s and webhook_delivery.state = 'pending'
  and message.number = webhook_delivery.message and webhook.number = webhook_delivery.webhook
  and message.dataset is not null
  and not (message.event = any (webhook.events)
           and (webhook.datasets is null or message.dataset = any (webhook.datasets)))

-- name: delete
delete from dropload.webhook where id = %(id)s

-- name: rotate
update dropload.webhook
set old_salt = salt, old_until = now() + %(seconds)s * interval '1 second', salt = %(salt)s, updated_at = now()
where id = %(id)s

-- name: enable
update dropload.webhook
set state = 'enabled', reason = null, since = now(), failures = 0, failing_since = null, paused_until = null,
    updated_at = now()
where id = %(id)s and state = 'disabled'

-- name: unpause
-- Who asks for a test does not want to wait.
update dropload.webhook set paused_until = null where id = %(id)s and state = 'enabled' returning number

-- name: put_test
with message as (
    insert into dropload.webhook_message (event, payload, spread_at) values (%(event)s, %(payload)s, now())
    returning number
)
insert into dropload.webhook_delivery (id, webhook, message, due_at)
select %(delivery)s, %(number)s, number, now() from message

-- name: deliveries
select delivery.number, delivery.id, delivery.state, delivery.due_at, delivery.created_at, delivery.ended_at,
       message.event, message.dataset, job.id as job
from dropload.webhook_delivery as delivery
join dropload.webhook on webhook.number = delivery.webhook
join dropload.webhook_message as message on message.number = delivery.message
left join dropload.job on job.number = message.job
where webhook.id = %(webhook)s and (%(id)s::uuid is null or delivery.id = %(id)s)
  and (%(before)s::uuid is null
       or delivery.number < (select number from dropload.webhook_delivery where id = %(before)s))
order by delivery.number desc
limit %(limit)s

-- name: attempts
-- The last ones of each delivery.
select delivery, at, status, milliseconds, error
from (
    select *, row_number() over (partition by delivery order by number desc) as place
    from dropload.webhook_attempt
    where delivery = any (%(deliveries)s)
) as attempt
where place <= %(limit)s
order by delivery, number
