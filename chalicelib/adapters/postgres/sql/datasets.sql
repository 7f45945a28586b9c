-- What there is of a dataset. {table} is its table.

-- name: few
select count(*) as rows from (select from {table} limit %(most)s) as first

-- name: estimate
-- As the planner reckons: rows to the page when the table was last looked at, times the pages that it has now.
select greatest(reltuples, 0) / greatest(relpages, 1) * (pg_relation_size(oid) / current_setting('block_size')::integer)
       as rows
from pg_class
where oid = {target}::regclass

-- name: volumes
-- Jobs that repeat another one, or only tried a file out, have loaded nothing.
select to_char(day, 'YYYY-MM-DD') as day, count(job.number) as files,
       coalesce(sum(job.read), 0)::bigint as records, coalesce(sum(job.rejected), 0)::bigint as rejected
from generate_series(current_date - (%(days)s - 1), current_date, interval '1 day') as day
left join dropload.job on job.dataset = %(dataset)s and job.created_at >= day
     and job.created_at < day + interval '1 day' and job.state <> 'DUPLICATE' and not job.validate_only
group by day
order by day
