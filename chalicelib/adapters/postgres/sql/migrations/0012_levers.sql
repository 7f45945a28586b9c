-- Levers for people: cancel, load again, undo, forget, erase.

-- Jobs that somebody has called off, from the request to the job's end. A table of its own, since whoever finishes a job
-- holds the job's row for minutes, and is told here.
create table dropload.cancellation (
    job            bigint primary key references dropload.job (number) on delete cascade,
    asked_at       timestamptz not null default now()
);

-- The job whose file this one loads once more, since somebody asked for that: its revision is that one's and a suffix.
alter table dropload.job add column again_of bigint references dropload.job (number);
create index job_again on dropload.job (again_of) where again_of is not null;

-- What jobs of datasets with undo_days have changed, so that it can be taken back. Written with the change, in its
-- transaction; forgotten by the sweep. One row for each row of a table that a batch has changed (update) or added to (sum).
create table dropload.before (
    origin         bigint not null,            -- the batch, as in _origin
    id             bigint not null,            -- the row
    dataset        text not null,
    was            jsonb,                      -- update: the row as it was, null where it was not there; sum: what was added
    was_origin     bigint,                     -- update: where the row was from
    became         bigint,                     -- update: a hash of the values that the batch gave it
    primary key (origin, id)
);

create index before_next on dropload.before (was_origin) where was_origin is not null;
create index before_added on dropload.before (dataset, id) where was_origin is null;

alter table dropload.job add column keeps boolean not null default false;  -- dropload.before has what it changes
alter table dropload.job add column undone_at timestamptz;
create index job_keeps on dropload.job (dataset, number) where keeps;

-- Two amounts of each measure as one; nothing and nothing is nothing.
create function dropload.added_up(one jsonb, other jsonb) returns jsonb
language sql immutable as $$
    select jsonb_object_agg(key, total)
    from (
        select key, sum(value::numeric) as total
        from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) as each
        group by key
    ) as totals
$$;

-- Undos that somebody has asked for.
create table dropload.undo (
    job            bigint primary key references dropload.job (number) on delete cascade,
    token          text not null,              -- of the plan that was shown
    asked_at       timestamptz not null default now(),
    sent_at        timestamptz not null default now(),
    finished_at    timestamptz,
    counts         jsonb,                      -- once it is done
    reason         jsonb                       -- why it was not: {"code", "message"}
);

create index undo_open on dropload.undo (job) where finished_at is null;

-- Restores rows one by one, the last one that was changed first, by a statement that takes a row's id; tries those again
-- that were refused, as long as that helps. Returns the ids that stay refused.
create function dropload.restore_singly(restore_one text, rows bigint[]) returns bigint[]
language plpgsql as $$
declare
    refused bigint[];
    row_id bigint;
begin
    set constraints all immediate;
    loop
        refused := '{}';
        foreach row_id in array rows loop
            begin
                execute restore_one using row_id;
            exception when integrity_constraint_violation or data_exception or raise_exception then
                refused := refused || row_id;
            end;
        end loop;
        exit when refused = '{}' or refused = rows;
        rows := refused;
    end loop;
    return refused;
end $$;

-- The ledger's memory.
alter table dropload.job add column expiring boolean not null default false;  -- its rows in dropload.before may go
create index job_expiring on dropload.job (number) where expiring;
create index job_finished on dropload.job (finished_at);

-- Up to where the sweep has looked at what the API changed.
create table dropload.forgetting (place bigint not null);
insert into dropload.forgetting values (0);

-- Persons whose records were erased: how many of what, and never who.
create table dropload.erasure (
    id             uuid primary key,
    dataset        text not null,
    columns        text[] not null,            -- of the key that was given; its values are kept nowhere
    counts         jsonb not null,
    may_hold       jsonb not null,             -- what else may hold the person's records
    jobs           bigint[] not null,          -- whose error files are still to be written anew
    created_at     timestamptz not null default now(),
    sent_at        timestamptz not null default now(),
    finished_at    timestamptz
);

create index erasure_open on dropload.erasure (created_at) where finished_at is null;
