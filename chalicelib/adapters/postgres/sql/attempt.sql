-- A part of a transaction that may be taken back.

-- name: savepoint
savepoint attempt

-- name: roll_back
rollback to savepoint attempt

-- name: release
release savepoint attempt

-- name: limit_time
select set_config('statement_timeout', %(milliseconds)s, true)
