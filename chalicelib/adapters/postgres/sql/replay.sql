-- All batches of a job, placed in its finaliser's transaction.

-- name: savepoint
savepoint replay

-- name: roll_back
rollback to savepoint replay

-- name: batches
-- Of a job that has gathered, those that still wait; of any other, all.
select number, byte_start, byte_end, first_line, oversize
from dropload.batch
where job = %(job)s and gathered = %(gathered)s
order by number

-- name: lock_table
set local lock_timeout = '600s';
lock table {table} in share row exclusive mode

-- name: has_staged
select to_regclass('pg_temp._stage') is not null as found

-- name: drop_stage
-- Emptied at once, so that what all batches together have staged is never on the disk.
truncate pg_temp._stage;
drop table pg_temp._stage

-- name: add_causes
insert into dropload.cause (job, batch, code, "column", count, example_line) values %s
on conflict (job, batch, code, "column")
do update set count = cause.count + excluded.count, example_line = least(cause.example_line, excluded.example_line)

-- name: book
-- Only of the very records that were booked when the batch was checked.
update dropload.batch
set inserted = booked.inserted, updated = booked.updated, unchanged = booked.unchanged, ignored = booked.ignored,
    rejected = booked.rejected, gathered = false
from (values %s) as booked (job, number, read, inserted, updated, unchanged, ignored, rejected, refused)
where batch.job = booked.job and batch.number = booked.number
  and batch.read = booked.read and batch.rejected = booked.rejected - booked.refused

-- name: add_up
update dropload.job
set (inserted, updated, unchanged, ignored, rejected) = (
    select sum(inserted), sum(updated), sum(unchanged), sum(ignored), sum(rejected)
    from dropload.batch
    where job = %(job)s
)
where number = %(job)s
returning *
