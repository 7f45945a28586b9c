-- A person's records are erased. {braces} are identifiers and lists of them, filled in by psycopg2.sql.

-- name: limit_waiting
select set_config('lock_timeout', '5s', true)

-- name: rows
select id, _origin >> 23 as job from {table} where {same} for update

-- name: earlier_rows
-- Rows that had the key once, of which the undo log knows.
select distinct origin >> 23 as job, was_origin >> 23 as before
from dropload.before
where dataset = %(dataset)s and (id = any (%(ids)s) or {was})

-- name: forget_rows
delete from dropload.before where dataset = %(dataset)s and id = any (%(ids)s)

-- name: forget_versions
-- A row that belongs to somebody else by now is not given these values back: as if somebody had changed it since.
update dropload.before set was = '{{}}', became = 0 where dataset = %(dataset)s and was is not null and {was}

-- name: delete
delete from {table} where id = any (%(ids)s)

-- name: candidates
-- Rejected records that have the values somewhere.
select rejection.job, rejection.batch, rejection.record, rejection.raw, job.columns, job.delimiter, job.format, job.container
from dropload.rejection join dropload.job on job.number = rejection.job
where job.dataset = %(dataset)s and length(rejection.raw) > 0
  and not exists (
      select from unnest(%(pieces)s::bytea[]) as piece where position(piece in rejection.raw) = 0
  )

-- name: redact
update dropload.rejection set raw = ''
from unnest(%(jobs)s::bigint[], %(batches)s::integer[], %(records)s::integer[]) as found (job, batch, record)
where rejection.job = found.job and rejection.batch = found.batch and rejection.record = found.record

-- name: forget_answers
-- All of the dataset's, whose records they may have in any spelling. What was served stays so, and is not done again.
update dropload.answer set body = null where dataset = %(dataset)s and body is not null

-- name: filtered_exports
select number, filters, finished_at is not null as ended
from dropload.export
where dataset = %(dataset)s and filters ?& %(names)s
for update

-- name: blank_filters
-- One that has not ended would be of all rows then; its snapshot goes with the leftovers.
update dropload.export
set filters = %(filters)s, finished_at = coalesce(finished_at, now()),
    state = case when finished_at is null then 'CANCELLED' else state end
where number = %(number)s

-- name: objects
-- Files that the rows or rejected records are from, and those that may still come with some.
select distinct on (key, version_id) key, version_id, staged, id
from dropload.job
where number = any (%(jobs)s)
order by key, version_id
limit %(limit)s

-- name: count_open
select count(*) as jobs from dropload.job where dataset = %(dataset)s and finished_at is null

-- name: exports
select part.key
from dropload.export join dropload.export_part as part on part.export = export.number
where dataset = %(dataset)s
order by export.number desc, part.number
limit %(limit)s

-- name: open
insert into dropload.erasure (id, dataset, columns, counts, may_hold, jobs, finished_at)
values (%(id)s, %(dataset)s, %(columns)s, %(counts)s, %(may_hold)s, %(jobs)s,
        case when cardinality(%(jobs)s::bigint[]) = 0 then now() end)

-- name: view
select id, dataset, columns, counts, may_hold, cardinality(jobs) as files, created_at, finished_at
from dropload.erasure
where id = %(id)s

-- name: next_job
-- Jobs that have not ended write their error files themselves, by what is left of their records; but not all at once.
select job.*
from dropload.erasure, unnest(erasure.jobs) as wanted (number) join dropload.job using (number)
where erasure.id = %(id)s
order by job.finished_at nulls last
limit 1
for no key update of job

-- name: done
update dropload.erasure
set jobs = array_remove(jobs, %(job)s),
    finished_at = case when cardinality(array_remove(jobs, %(job)s)) = 0 then now() end
where id = %(id)s

-- name: forget_gone
update dropload.erasure
set jobs = '{}', finished_at = now()
where id = %(id)s and finished_at is null

-- name: take_lost
update dropload.erasure set sent_at = now()
where finished_at is null and sent_at < now() - interval '15 minutes'
returning id
