-- Jobs whose object is still to come, and whether a file has been loaded already.

-- name: open_job
insert into dropload.job (id, dataset, bucket, key, revision, etag, size, batch_bytes, validate_only, atomic, fetching)
values (%(id)s, %(dataset)s, %(bucket)s, %(key)s, 'fetch', '', 0, 1, %(validate_only)s, %(atomic)s, true)
returning number

-- name: insert
insert into dropload.source (job, url, shown)
values (%(job)s, %(url)s, %(shown)s)

-- name: begin
-- One worker at a time, and none once the object is there or the job is not wanted any more.
update dropload.source
set attempts = source.attempts + 1, leased_until = now() + %(seconds)s * interval '1 second'
from dropload.job
where job.number = source.job and job.id = %(id)s and job.fetching and not job.split_done and job.finished_at is null
  and source.url is not null and coalesce(source.leased_until, '-infinity') < now()
returning job.*, source.url, source.attempts as tries

-- name: release
update dropload.source set leased_until = null where job = %(number)s

-- name: is_wanted
select 1 from dropload.job where number = %(number)s and fetching and not split_done and finished_at is null

-- name: forget
-- Sources, or one of them, that nobody will ask again: the object is there, or its job has ended for good.
update dropload.source set url = null
from dropload.job
where job.number = source.job and source.url is not null and (%(number)s::bigint is null or job.number = %(number)s)
  and (not job.fetching or job.finished_at is not null and job.retry_at is null)

-- name: of_object
-- The newest job of exactly this version.
select *
from dropload.job
where bucket = %(bucket)s and key = %(key)s and etag = %(etag)s and version_id is not distinct from %(version_id)s
  and validate_only = %(validate_only)s and not fetching
order by number desc
limit 1

-- name: of_sha256
-- The newest job of the same bytes under the same name, as far as anyone has told.
select etag
from dropload.job
where bucket = %(bucket)s and key = %(key)s and sha256 = %(sha256)s and size = %(size)s and not fetching
order by number desc
limit 1

-- name: by_number
select * from dropload.job where number = %(number)s
