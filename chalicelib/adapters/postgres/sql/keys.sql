-- name: insert
insert into dropload.api_key (id, name, hash, scopes) values (%(id)s, %(name)s, %(hash)s, %(scopes)s)

-- name: scopes
select id, scopes from dropload.api_key where hash = %(hash)s and revoked_at is null
