-- Webhooks: whom to tell what by HTTP, what there is to tell, and what became of telling it.

create table dropload.webhook (
    number         bigint generated always as identity primary key,
    id             uuid not null unique,
    url            text not null,
    description    text not null,
    datasets       text[],                     -- null for all
    events         text[] not null,
    salt           bytea not null,             -- the secret comes from it and a key that is not in the database
    old_salt       bytea,                      -- of the secret before, which signs, too
    old_until      timestamptz,                -- until then
    state          text not null default 'enabled' check (state in ('enabled', 'disabled')),
    reason         text check (reason in ('gone', 'failing')),  -- why it was disabled
    since          timestamptz not null default now(),  -- it is told nothing that happened before
    failures       integer not null default 0, -- attempts in a row
    failing_since  timestamptz,                -- the first of them
    paused_until   timestamptz,                -- left alone, since it has just failed
    lease          uuid,                       -- who is delivering to it: one at a time
    leased_until   timestamptz,
    served_at      timestamptz,                -- who has waited longest is next
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now()
);

-- Put in with what it tells of. ``payload`` is the body, the same at each attempt; null until the rows that a job has
-- changed were looked up, and when all deliveries have ended.
create table dropload.webhook_message (
    number         bigint generated always as identity primary key,
    event          text not null,
    dataset        text,                       -- null: it is for one webhook alone, and has its delivery
    job            bigint references dropload.job (number) on delete cascade,
    payload        text,
    created_at     timestamptz not null default now(),
    spread_at      timestamptz                 -- when its deliveries were put in
);

create index webhook_message_unspread on dropload.webhook_message (number) where spread_at is null;
create index webhook_message_job on dropload.webhook_message (job) where job is not null;
create index webhook_message_told on dropload.webhook_message (number) where payload is not null and spread_at is not null;
create index webhook_message_age on dropload.webhook_message (spread_at);

create table dropload.webhook_delivery (
    number         bigint generated always as identity primary key,
    id             uuid not null unique,       -- webhook-id
    webhook        bigint not null references dropload.webhook (number) on delete cascade,
    message        bigint not null references dropload.webhook_message (number) on delete cascade,
    state          text not null default 'pending' check (state in ('pending', 'delivered', 'failed', 'cancelled')),
    attempts       integer not null default 0,
    first_at       timestamptz,                -- of the attempts
    due_at         timestamptz not null,
    created_at     timestamptz not null default now(),
    ended_at       timestamptz,
    unique (message, webhook)
);

create index webhook_delivery_due on dropload.webhook_delivery (webhook, due_at, number) where state = 'pending';
create index webhook_delivery_log on dropload.webhook_delivery (webhook, number);

create table dropload.webhook_attempt (
    delivery       bigint not null references dropload.webhook_delivery (number) on delete cascade,
    number         integer not null,
    at             timestamptz not null,
    status         integer,                    -- of the answer; null where there was none
    milliseconds   integer not null,
    error          text,                       -- a word for what went wrong
    primary key (delivery, number)
);

-- When a message will come by which due deliveries are looked for: one row, so that not everybody sends one.
create table dropload.webhook_wake (at timestamptz not null);
insert into dropload.webhook_wake values (now());

-- What the API has done to records stays where it is booked (0015), for rows to be traced.
alter table dropload.record_event add column told boolean not null default false;
create index record_event_untold on dropload.record_event (number) where not told;
create index record_event_age on dropload.record_event (created_at) where told;
