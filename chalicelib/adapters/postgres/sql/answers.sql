-- What was answered to requests with an Idempotency-Key.

-- name: forget
delete from dropload.answer
where (caller, key) in (
    select caller, key
    from dropload.answer
    where created_at < now() - %(keep_seconds)s * interval '1 second'
    order by created_at
    limit 100
)

-- name: begin
-- Also where whoever began it must have died, since nobody serves a request for that long.
insert into dropload.answer as had (caller, key, request, dataset)
values (%(caller)s, %(key)s, %(request)s, %(dataset)s)
on conflict (caller, key) do update set created_at = now()
    where had.status is null and had.request = excluded.request
      and had.created_at < now() - %(served_seconds)s * interval '1 second'
returning 1

-- name: find
select request, status, headers, body
from dropload.answer
where caller = %(caller)s and key = %(key)s

-- name: keep
update dropload.answer
set status = %(status)s, headers = %(headers)s, body = %(body)s
where caller = %(caller)s and key = %(key)s and request = %(request)s and headers is null

-- name: done
-- What was asked for takes effect in this transaction. Whatever becomes of the answer then, it is not served again.
update dropload.answer
set status = 200
where caller = %(caller)s and key = %(key)s and request = %(request)s and status is null

-- name: give_up
delete from dropload.answer where caller = %(caller)s and key = %(key)s and request = %(request)s and status is null
