-- Which job a correction file corrects, and which of its rejections are resolved.

-- name: named_parent
select number from dropload.job where id = %(id)s and dataset = %(dataset)s and number < %(number)s

-- name: without_its_whole
-- Whether a file in a line of corrections was to be loaded whole, and was not loaded, or is not the whole any more.
with recursive line as (
    select number, parent, replaces, atomic, state, dataset, undone_at from dropload.job where number = %(number)s
    union all
    select job.number, job.parent, job.replaces, job.atomic, job.state, job.dataset, job.undone_at
    from line join dropload.job on job.number = line.parent
)
select exists (
    select from line left join dropload.replaced using (dataset)
    where line.replaces and replaced.job <> line.number or line.atomic and (line.state in ('FAILED', 'CANCELLED') or line.undone_at is not null)
) as found

-- name: candidates
-- The newest jobs of the same columns that have rejections.
select number
from dropload.job
where dataset = %(dataset)s and number < %(number)s and columns @> %(columns)s and columns <@ %(columns)s
  and rejected > 0 and not validate_only
order by number desc
limit %(limit)s

-- name: first_lines
select first_line, number from dropload.batch where job = %(number)s order by number

-- name: rejections_at
select line, errors, raw
from dropload.rejection
where job = %(number)s and batch = any(%(batches)s) and line = any(%(lines)s)

-- name: lock_job
select parent from dropload.job where number = %(number)s for no key update

-- name: resolve
-- Each line begins one record at most.
update dropload.rejection
set resolved_by = %(by)s
from unnest(%(at_batches)s::integer[], %(at_lines)s::bigint[]) as wanted (batch, line)
where rejection.job = %(number)s and rejection.batch = any(%(batches)s) and rejection.batch = wanted.batch
  and rejection.line = wanted.line and rejection.resolved_by is null
returning rejection.corrects

-- name: count_resolved
update dropload.job set resolved = resolved + %(resolved)s where number = %(number)s
