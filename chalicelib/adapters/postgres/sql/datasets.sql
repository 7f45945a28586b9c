-- What there is of a dataset. {table} is its table.

-- name: few
select count(*) as rows from (select from {table} limit %(most)s) as first

-- name: estimate
-- As the planner reckons: by what it knows of the table's rows, and the pages that the table has now.
explain (format json) select from {table}

-- name: volumes
-- Jobs that repeat another one, or only tried a file out, have loaded nothing.
select to_char(day, 'YYYY-MM-DD') as day, count(job.number) as files,
       coalesce(sum(job.read), 0)::bigint as records, coalesce(sum(job.rejected), 0)::bigint as rejected
from generate_series(current_date - (%(days)s - 1), current_date, interval '1 day') as day
left join dropload.job on job.dataset = %(dataset)s and job.created_at >= day
     and job.created_at < day + interval '1 day' and job.state <> 'DUPLICATE' and not job.validate_only
group by day
order by day
