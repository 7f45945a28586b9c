-- How things stand, for metrics.

-- name: read
-- A job is pending until its header has been read. Of open ones there is an index.
select (select count(*) from dropload.job where finished_at is null) as jobs_open,
       coalesce(extract(epoch from now() - (
           select min(created_at) from dropload.job where finished_at is null and state = 'PENDING'
       )), 0)::float8 as oldest_pending_seconds
