-- What is old enough is forgotten, a slice at a time.

-- name: expire_undo
-- What a job changed is needed for longer where a job that may still be undone was under way beside or before it.
update dropload.job as old
set keeps = false, expiring = true
where dataset = %(dataset)s and keeps and finished_at < now() - %(days)s * interval '1 day'
  and not exists (
      select from dropload.job as young
      where young.dataset = old.dataset and young.keeps and young.number <> old.number
        and young.created_at <= old.finished_at
        and (young.finished_at is null or young.finished_at >= now() - %(days)s * interval '1 day')
  )

-- name: datasets_that_keep
select distinct dataset from dropload.job where keeps

-- name: expiring
select number from dropload.job where expiring order by number limit 1 for update skip locked

-- name: delete_before
delete from dropload.before
where ctid = any (array(
    select ctid from dropload.before where origin >= %(first)s and origin < %(beyond)s limit %(limit)s
))

-- name: expired
update dropload.job set expiring = false where number = %(number)s

-- name: delete_writes
-- What the API has written is of use as long as an earlier job may be undone.
delete from dropload.before
where ctid = any (array(
    select before.ctid
    from dropload.before
    where not exists (select from dropload.job where number = before.origin >> 23)
      and not exists (
          select from dropload.job
          where job.dataset = before.dataset and keeps and number < before.origin >> 23
      )
    limit %(limit)s
))

-- name: due
-- Jobs that nothing needs any more: they have ended long ago, and no other job refers to them.
select number
from dropload.job as old
where finished_at < now() - %(days)s * interval '1 day'
  and not keeps and not expiring and retry_at is null and (after_load is null or tidied_at is not null)
  and not exists (select from dropload.job where parent = old.number)
  and not exists (select from dropload.job where duplicate_of = old.number)
  and not exists (select from dropload.job where again_of = old.number)
  and not exists (select from dropload.outbox where outbox.job = old.number and sent_at is null
                  and given_up_at is null)
  and not exists (select from dropload.undo where undo.job = old.number and undo.finished_at is null)
  and not exists (select from dropload.replaced where replaced.job = old.number)
order by finished_at
limit %(limit)s
for update skip locked

-- name: delete_rejections
delete from dropload.rejection
where ctid = any (array(select ctid from dropload.rejection where job = any (%(jobs)s) limit %(limit)s))

-- name: delete_jobs
delete from dropload.job where number = any (%(jobs)s)

-- name: delete_exports
delete from dropload.export
where number in (
    select number from dropload.export
    where finished_at < now() - %(days)s * interval '1 day'
    order by number
    limit %(limit)s
)
