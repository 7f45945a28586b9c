-- Letters: one mail about all that came together for one audience, and what is watched for that no job tells of.

alter table dropload.outbox drop constraint outbox_audience_check;
alter table dropload.outbox add constraint outbox_audience_check check (audience in ('owners', 'engineers', 'topic'));

create table dropload.letter (
    number         bigint generated always as identity primary key,
    id             uuid not null unique default gen_random_uuid(),  -- its Message-ID, however often it is sent
    kind           text not null check (kind in ('jobs', 'day', 'late')),
    audience       text not null check (audience in ('owners', 'engineers')),
    dataset        text not null,              -- '' for what is about all of them
    about          text,                       -- of which day, or which deadline was missed; null for jobs
    created_at     timestamptz not null default now(),
    closed_at      timestamptz,                -- no notice joins it any more
    wakes_at       timestamptz,                -- a message was sent that has it looked at then
    due_at         timestamptz not null default now(),
    sent_at        timestamptz,
    given_up_at    timestamptz,
    attempts       integer not null default 0,
    unique (kind, audience, dataset, about),
    check ((kind = 'jobs') = (about is null))
);

create unique index letter_open on dropload.letter (audience, dataset) where kind = 'jobs' and closed_at is null;
create index letter_unsent on dropload.letter (number)
    where closed_at is not null and sent_at is null and given_up_at is null;
create index letter_last on dropload.letter (audience, dataset, closed_at) where kind = 'jobs';

alter table dropload.outbox
    add column letter bigint references dropload.letter (number) on delete set null,
    add column given_up_at timestamptz;

create index outbox_letter on dropload.outbox (letter);

-- Since when files of a dataset are expected as its descriptor says: nobody is late for what nobody knew of.
create table dropload.expectation (
    dataset        text primary key,
    expected       text not null,
    since          timestamptz not null
);
