-- What the sweep and the schedule need to know: where they stand, what waits for when, and what was tried how often.

alter table dropload.job
    add column asked        boolean not null default true,  -- whether its object's metadata have been read
    add column attempts     integer not null default 0,     -- how often it was tried and failed for a passing reason
    add column max_attempts integer,                        -- as its object's metadata have it; null where they do not
    add column retry_at     timestamptz,                    -- FAILED, and the sweep will try again from then on
    add column starts_at    timestamptz,                    -- PENDING, and held back until then
    add column released     boolean not null default false, -- somebody has said that it is to begin all the same
    add column trouble      jsonb,                          -- the last failure that is no passing one; as a reason
    add column sweeps       integer not null default 0;     -- times it was swept without any news from it

create index job_retry on dropload.job (retry_at) where retry_at is not null;
create index job_held on dropload.job (starts_at, number) where starts_at is not null and state = 'PENDING';
create index batch_running on dropload.batch (started_at) where state = 'running';

create table dropload.sweep (
    only_one       boolean primary key default true check (only_one),
    place          bytea not null default '',               -- the key, in UTF-8, that the listing of input/ goes on after
    forgotten      timestamptz not null default '-infinity' -- jobs that were opened until then have been removed
);

insert into dropload.sweep default values;

-- Whoever removes a job leaves an object behind that has none. The sweep must not load it again.
create function dropload.note_forgotten() returns trigger
language plpgsql as $$
begin
    update dropload.sweep
    set forgotten = greatest(forgotten, (select max(created_at) from gone));
    return null;
end $$;

create trigger forgotten after delete on dropload.job
    referencing old table as gone for each statement execute function dropload.note_forgotten();
