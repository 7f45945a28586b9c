-- The keys of batches that are being loaded, as fingerprints: see core/claims.py.

-- name: begin
-- One at a time in each dataset: whoever comes later sees all who came earlier. A batch that comes again comes later.
select pg_advisory_xact_lock(hashtextextended('dropload claims ' || %(dataset)s, 0));
delete from dropload.claim where job = %(job)s and batch = %(batch)s;
select nextval('dropload.claim_place') as place

-- name: put
-- As they are: as text they are twice as many bytes, and several times in memory.
copy dropload.claim (job, batch, key, dataset, place, prints) from stdin (format binary)

-- name: earlier
select claim.job, claim.batch, claim.key
from dropload.claim as own
join dropload.claim on claim.dataset = own.dataset and claim.key = own.key and claim.place < own.place
where own.job = %(job)s and own.batch = %(batch)s
order by claim.place

-- name: told
-- One at a time: those of a hundred batches are hundreds of megabytes.
copy (
    select prints from dropload.claim where job = {job} and batch = {batch} and key = {key}
) to stdout (format binary)

-- name: wait
-- A batch's row is locked for as long as it is being loaded; that of a worker that died is not.
set local lock_timeout = '600s';
select 1
from unnest(%(jobs)s::bigint[], %(batches)s::integer[]) as earlier (job, number)
join dropload.batch using (job, number)
order by job, number
for share of batch

-- name: withdraw
delete from dropload.claim where job = %(job)s and batch = %(batch)s

-- name: forget_left_over
-- Of a worker that came so late that its job had ended.
delete from dropload.claim
where not exists (select from dropload.job where number = claim.job and finished_at is null)

-- name: forget
delete from dropload.claim where job = %(job)s
