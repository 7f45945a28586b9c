-- API keys, by the hash of their token.

-- name: insert
insert into dropload.api_key (id, name, hash, scopes, datasets)
values (%(id)s, %(name)s, %(hash)s, %(scopes)s, %(datasets)s)

-- name: find
select id, name, scopes, datasets,
       last_used_at is null or last_used_at < now() - interval '1 minute' as is_stale
from dropload.api_key
where hash = %(hash)s and revoked_at is null

-- name: used
update dropload.api_key set last_used_at = now()
where id = %(id)s and (last_used_at is null or last_used_at < now() - interval '1 minute')

-- name: list
select id, name, scopes, datasets, created_at, last_used_at, revoked_at
from dropload.api_key
where (%(before)s::uuid is null
       or (created_at, id) < (select created_at, id from dropload.api_key where id = %(before)s))
  and (%(datasets)s::text[] is null or datasets <@ %(datasets)s)
order by created_at desc, id desc
limit %(limit)s

-- name: get
select id, name, scopes, datasets, created_at, last_used_at, revoked_at
from dropload.api_key
where id = %(id)s

-- name: revoke
update dropload.api_key set revoked_at = coalesce(revoked_at, now()) where id = %(id)s
