-- The ledger: what was dropped, how it was cut, what became of every record, and whom to tell.
-- It lives beside the data so that rows and their bookkeeping commit together.

create table dropload.job (
    number         bigint generated always as identity primary key,
    id             uuid not null unique,
    dataset        text not null,
    state          text not null default 'PENDING' check (state in (
                       'PENDING', 'RUNNING', 'CANCELLING', 'CANCELLED',
                       'COMPLETED', 'COMPLETED_WITH_FAILURES', 'FAILED', 'DUPLICATE')),
    reason         jsonb,                      -- {"code", "message", "class": "file" | "transient" | "terminal"}
    duplicate_of   bigint references dropload.job (number),

    bucket         text not null,
    key            text not null,
    revision       text not null,              -- the version id, or the ETag where the bucket keeps no versions
    version_id     text,
    etag           text not null,
    size           bigint not null,

    columns        text[],                     -- the file's own header; null until it has been read
    labels         text[],                     -- of a correction file: its whole header, error columns included
    delimiter      text,                       -- as found in the file; null where the dataset declares it
    encoding       text,                       -- of the file; null until its header has been read
    container      text,                       -- what the data came in: gzip, zip, xlsx, parquet; null for the plain file
    format         text not null default 'csv' check (format in ('csv', 'jsonl')),  -- of the data, out of their container
    staged         boolean not null default false,  -- batches are read from staging/, not from ranges of the object
    validate_only  boolean not null default false,  -- says what would happen, and loads nothing
    atomic         boolean not null default false,  -- is loaded whole or not at all; fixed when the job opens
    stopped        boolean not null default false,  -- too many records were rejected: no more batches begin
    replaces       boolean not null default false,  -- loads into a shadow of its own, which becomes the table
    gathers        boolean not null default false,  -- batches wait in a table of its own, to be added up when it ends
    after_load     text check (after_load in ('delete', 'archive')),  -- what is to become of the object, now loaded
    tidied_at      timestamptz,                -- when that was done
    parent         bigint references dropload.job (number),  -- whose rejected records these are, mended or not
    -- Offsets are those of the data in UTF-8, out of their container: for a plain file the object's own.
    data_start     bigint not null default 0,  -- offset of the first byte after the header
    batch_bytes    integer not null,           -- fixed when the job opens: a resumed split must cut alike
    split_offset   bigint not null default 0,  -- the file is cut up to here
    split_line     bigint not null default 1,  -- physical line at split_offset
    split_done     boolean not null default false,

    batches        integer not null default 0, -- planned so far
    batches_ended  integer not null default 0,
    batches_failed integer not null default 0,
    read           bigint not null default 0,
    inserted       bigint not null default 0,
    updated        bigint not null default 0,
    unchanged      bigint not null default 0,
    ignored        bigint not null default 0,
    rejected       bigint not null default 0,
    resolved       bigint not null default 0,  -- rejections that children of this job have loaded
    redrives       integer not null default 0, -- how often its rejected records were dropped again from here

    created_at     timestamptz not null default now(),
    started_at     timestamptz,
    finished_at    timestamptz,
    swept_at       timestamptz,                -- last sent on its way again by the sweep

    unique (bucket, key, revision)
);

create index job_same_bytes on dropload.job (bucket, key, etag);
create index job_dataset on dropload.job (dataset, number);
create index job_key on dropload.job (key, number);
create index job_state on dropload.job (state, number);
create index job_duplicates on dropload.job (duplicate_of) where duplicate_of is not null;
create index job_children on dropload.job (parent) where parent is not null;
create index job_open on dropload.job (number) where finished_at is null;
create index job_untidy on dropload.job (number) where after_load is not null and tidied_at is null;
create index job_may_come on dropload.job (dataset, number)
    where finished_at is null or state = 'FAILED' and columns is not null and reason ->> 'class' is distinct from 'file';

create table dropload.batch (
    job            bigint not null references dropload.job (number) on delete cascade,
    number         integer not null,
    state          text not null default 'pending' check (state in (
                       'pending', 'running', 'succeeded', 'failed', 'cancelled')),
    byte_start     bigint not null,
    byte_end       bigint not null,
    first_line     bigint not null,
    oversize       boolean not null,           -- one record, longer than the limit: booked without being fetched
    attempts       integer not null default 0,
    read           bigint not null default 0,
    inserted       bigint not null default 0,
    updated        bigint not null default 0,
    unchanged      bigint not null default 0,
    ignored        bigint not null default 0,
    rejected       bigint not null default 0,
    gathered       boolean not null default false,  -- booked, but not in the dataset's table yet
    created_at     timestamptz not null default now(),
    started_at     timestamptz,
    finished_at    timestamptz,
    primary key (job, number),
    check (byte_end > byte_start),
    check (state <> 'succeeded' or read = inserted + updated + unchanged + ignored + rejected)
);

-- Rows that a batch found to be as its records say, and so left alone, while an earlier batch was still to come: that
-- one must not overwrite them. Kept until no earlier batch may come (docs/merge-policies.md).
create table dropload.seen (
    dataset        text not null,
    origin         bigint not null,            -- the batch that saw them, as in _origin
    ids            bigint[] not null,
    primary key (dataset, origin)
);

alter table dropload.seen alter column ids set storage external;

-- The keys of batches that are being loaded, as fingerprints. Only for speed: nothing is wrong where it is empty.
create sequence dropload.claim_place;

create unlogged table dropload.claim (
    job            bigint not null,
    batch          integer not null,
    key            text not null,              -- its columns
    dataset        text not null,
    place          bigint not null,            -- who comes later gives way
    prints         bytea not null,             -- eight bytes a row
    primary key (job, batch, key)
);

alter table dropload.claim alter column prints set storage external;
create index claim_dataset on dropload.claim (dataset, place);

create table dropload.rejection (
    job            bigint not null,
    batch          integer not null,
    record         integer not null,           -- 1-based, within the batch
    line           bigint not null,            -- physical line in the file
    byte_offset    bigint not null,
    byte_length    bigint not null,
    errors         jsonb not null,             -- [{"column", "code", "message"}]
    raw            bytea not null,             -- the record as it came, without its line end
    corrects       bigint,                     -- of a correction file: the line of its parent's file that it stood on
    resolved_by    bigint,                     -- the job that has loaded it after all
    primary key (job, batch, record),
    foreign key (job, batch) references dropload.batch (job, number) on delete cascade
);

create table dropload.cause (
    job            bigint not null,
    batch          integer not null,
    code           text not null,
    "column"       text not null,              -- '' where the whole record is at fault
    count          bigint not null,
    example_line   bigint not null,
    primary key (job, batch, code, "column"),
    foreign key (job, batch) references dropload.batch (job, number) on delete cascade
);

create table dropload.outbox (
    number         bigint generated always as identity primary key,
    job            bigint not null references dropload.job (number) on delete cascade,
    audience       text not null check (audience in ('owners', 'engineers')),
    created_at     timestamptz not null default now(),
    due_at         timestamptz not null default now(),
    sent_at        timestamptz,
    attempts       integer not null default 0,
    unique (job, audience)
);

create index outbox_unsent on dropload.outbox (number) where sent_at is null;

create table dropload.api_key (
    id             uuid primary key,
    name           text not null,
    hash           bytea not null unique,      -- SHA-256 of a 256-bit random token: nothing to guess, nothing to salt
    scopes         text[] not null,
    created_at     timestamptz not null default now(),
    revoked_at     timestamptz
);

-- The columns that a table's constraint is about, none where it has no such constraint.
create function dropload.columns_of_constraint(target regclass, constraint_name text) returns text[]
language sql stable as $$
    select coalesce(array_agg(attname::text order by attnum), '{}')
    from pg_constraint
    join pg_attribute on attrelid = conrelid and attnum = any (conkey)
    where conrelid = target and conname = constraint_name
$$;

-- Inserts staged rows one by one, in the order given, and returns those that stay out: with the SQLSTATE and the
-- constraint that refused them, or with nulls where a unique key was taken. Only called where the set-based insert
-- cannot be exact, so that one bad row does not take its whole batch along; its cost is linear in the batch,
-- whatever share of it is bad.
create function dropload.insert_singly(target regclass, stage regclass, columns text[], types text[], rows integer[])
returns table (row_number integer, refusal_state text, refusal_constraint text)
language plpgsql as $$
declare
    names text := (select string_agg(quote_ident(name), ', ' order by at)
                   from unnest(columns) with ordinality as c (name, at));
    casts text := (select string_agg(format('%I::%s', name, type), ', ' order by at)
                   from unnest(columns, types) with ordinality as c (name, type, at));
    one text := format('insert into %s (%s) select %s from %s where _row = $1 on conflict do nothing',
                       target, names, casts, stage);
    taken bigint;
begin
    set constraints all immediate;
    foreach row_number in array rows loop
        refusal_state := null;
        refusal_constraint := null;
        begin
            execute one using row_number;
            get diagnostics taken = row_count;
            if taken = 0 then
                return next;
            end if;
        exception when integrity_constraint_violation or data_exception or raise_exception then
            get stacked diagnostics refusal_state = returned_sqlstate, refusal_constraint = constraint_name;
            return next;
        end;
    end loop;
end $$;

-- Merges staged rows one by one, in the order given, by three statements that take a row's number: insert it unless its
-- match key is taken; change the row that has the key, if there is anything to change; tell whether a later batch has
-- the last word on it. Returns each row's outcome: inserted, updated, unchanged, ignored, or rejected with the SQLSTATE
-- and the constraint. Only called where the set-based merge cannot be exact.
create function dropload.merge_singly(insert_one text, change_one text, later_one text, rows integer[])
returns table (row_number integer, outcome text, refusal_state text, refusal_constraint text)
language plpgsql as $$
declare
    touched bigint;
begin
    set constraints all immediate;
    foreach row_number in array rows loop
        refusal_state := null;
        refusal_constraint := null;
        outcome := 'inserted';
        begin
            execute insert_one using row_number;
            get diagnostics touched = row_count;
            if touched = 0 then
                outcome := 'updated';
                execute change_one using row_number;
                get diagnostics touched = row_count;
            end if;
            if touched = 0 then
                outcome := 'ignored';
                execute later_one using row_number;
                get diagnostics touched = row_count;
            end if;
            if touched = 0 then
                outcome := 'unchanged';
            end if;
        exception when integrity_constraint_violation or data_exception or raise_exception then
            get stacked diagnostics refusal_state = returned_sqlstate, refusal_constraint = constraint_name;
            outcome := 'rejected';
        end;
        return next;
    end loop;
end $$;

-- Datasets written out as files. The rows of one that runs are in dropload.export_<number>, a snapshot of their table.
create table dropload.export (
    number         bigint generated always as identity primary key,
    id             uuid not null unique,
    dataset        text not null,
    state          text not null default 'PENDING' check (state in (
                       'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    reason         jsonb,                      -- {"code", "message", "class": "request" | "transient"}
    format         text not null check (format in ('csv', 'jsonl', 'parquet')),
    filters        jsonb not null,             -- {field: value as files have it}
    max_part_bytes bigint not null,
    with_id        boolean not null,
    rows           bigint,                     -- in the snapshot; null until it was taken
    bytes          bigint not null default 0,  -- of the parts that stand
    snapshot_at    timestamptz,
    created_at     timestamptz not null default now(),
    started_at     timestamptz,
    finished_at    timestamptz,
    swept_at       timestamptz                 -- last sent on its way again by the sweep
);

create index export_open on dropload.export (number) where finished_at is null;

create table dropload.export_part (
    export         bigint not null references dropload.export (number) on delete cascade,
    number         integer not null,
    key            text not null,
    rows           bigint not null,
    bytes          bigint not null,
    last_row       bigint not null,            -- of the snapshot; the next part begins after it
    sha256         text not null,
    created_at     timestamptz not null default now(),
    primary key (export, number)
);
