-- Files that the API hands in: uploads that say what they hold, and files that are fetched from elsewhere.

alter table dropload.job
    add column sha256   text,                          -- of the object, in hex, where S3 or its uploader has told
    add column fetching boolean not null default false; -- its object is still to come, under a key that nobody else has

-- Where a job's object is to come from. Kept for as long as the job is, but for the URL itself.
create table dropload.source (
    job          bigint primary key references dropload.job (number) on delete cascade,
    url          text,                                  -- of a web server or S3, secrets and all; null once it is not needed any more
    shown        text not null,                         -- what of it anyone may see
    attempts     integer not null default 0,
    leased_until timestamptz                            -- a worker is at it
);

create index source_with_url on dropload.source (job) where url is not null;
