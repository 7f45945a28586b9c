-- What work took, for receipts. Attempts that were killed are counted, but nobody knows what they took.

alter table dropload.batch
    add column worked_ms   bigint not null default 0,  -- all attempts, up to the booking
    add column mb_ms       bigint not null default 0;  -- milliseconds times the function's megabytes

create table dropload.work (
    job            bigint not null references dropload.job (number) on delete cascade,
    what           text not null,              -- split, convert, finalise
    times          integer not null,           -- invocations
    worked_ms      bigint not null,
    mb_ms          bigint not null,
    primary key (job, what)
);
