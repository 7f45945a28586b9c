-- How things stand, for metrics.

-- name: read
-- A job is pending until its header has been read; one that is held back, from the moment that it may begin. Whether one
-- waits for somebody else's server, its queue tells.
select (select count(*) from dropload.job where finished_at is null) as jobs_open,
       greatest(extract(epoch from now() - (
           select min(greatest(created_at, starts_at)) from dropload.job where finished_at is null and state = 'PENDING'
             and not fetching
       )), 0)::float8 as oldest_pending_seconds
