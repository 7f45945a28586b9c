-- Files that the API hands in: uploads that say what they hold, and files that are fetched from elsewhere.

alter table dropload.job
    add column sha256   text,                          -- of the object, in hex, where S3 or its uploader has told
    add column fetching boolean not null default false; -- its object is still to come, under a key that nobody else has

-- Where a job's object is to come from. Kept for as long as the job is, but for the source itself.
create table dropload.fetch (
    job          bigint primary key references dropload.job (number) on delete cascade,
    source       text,                                  -- a URL, secrets and all; null once it is not needed any more
    shown        text not null,                         -- what of it anyone may see
    attempts     integer not null default 0,
    leased_until timestamptz                            -- a worker is at it
);

create index fetch_with_source on dropload.fetch (job) where source is not null;
