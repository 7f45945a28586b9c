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
