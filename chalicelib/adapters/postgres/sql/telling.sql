-- What there is to tell webhooks, from where it happens to the deliveries that it becomes.

-- name: wanted
select distinct event
from unnest(%(events)s::text[]) as event
where exists (
    select from dropload.webhook
    where state = 'enabled' and event = any (events) and (datasets is null or %(dataset)s = any (datasets))
)

-- name: put
insert into dropload.webhook_message (event, dataset, job, payload, created_at)
values (%(event)s, %(dataset)s, %(job)s, %(payload)s, coalesce(%(at)s, now()))

-- name: now
select now() as at

-- name: untold
select 1
from dropload.webhook_message as message join dropload.job on job.number = message.job
where job.id = %(id)s and message.spread_at is null
limit 1

-- name: take_record_events
select number, dataset, event, ids, created_at
from dropload.record_event
where not told
order by number
limit %(limit)s
for update skip locked

-- name: told_record_events
update dropload.record_event set told = true where number = any (%(numbers)s)

-- name: take_changes
-- A job's changed rows are still to be looked up.
select message.number, message.dataset, message.created_at as at, message.job, job.id as job_id
from dropload.webhook_message as message join dropload.job on job.number = message.job
where message.spread_at is null and message.payload is null
order by message.number
limit 1
for update of message skip locked

-- name: drop_message
delete from dropload.webhook_message where number = %(number)s

-- name: spread
-- For whoever is enabled, wants it, and wanted it when it happened.
with taken as materialized (
    select number, event, dataset, created_at
    from dropload.webhook_message
    where spread_at is null and payload is not null
    order by number
    limit %(limit)s
    for update skip locked
), made as (
    insert into dropload.webhook_delivery (id, webhook, message, due_at)
    select gen_random_uuid(), webhook.number, taken.number, %(now)s
    from taken
    join dropload.webhook on webhook.state = 'enabled' and taken.event = any (webhook.events)
        and (webhook.datasets is null or taken.dataset = any (webhook.datasets))
        and webhook.since <= taken.created_at
    order by taken.number, webhook.number
    on conflict (message, webhook) do nothing
)
update dropload.webhook_message as message
set spread_at = %(now)s
from taken
where message.number = taken.number

-- name: top
select max(id) as id from {table} where %(below)s::bigint is null or id < %(below)s

-- name: changed_ids
-- Downwards: what a job inserts has the highest ids. The window bounds what is looked at where it has changed little.
select id
from {table}
where id <= %(top)s and id > %(top)s - %(window)s and _origin between %(first)s and %(last)s
order by id desc
limit %(limit)s

-- name: job_number
select number, dataset from dropload.job where id = %(id)s
