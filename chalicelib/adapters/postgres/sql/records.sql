-- Rows of a dataset's table, one by one and in pages. {braces} are identifiers, lists and literals, filled in by
-- psycopg2.sql: COPY, which gives values as exports have them, takes no parameters.

-- name: text_forms
-- Whoever asks waits for an answer, and API Gateway for 29 seconds.
set local statement_timeout = '20s';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'iso_8601'

-- name: page
-- Up to a number of rows, and of bytes: whatever their sizes, not many more are ever held.
select {columns}, _found
from (
    select page.*, count(*) over () as _found, sum({bytes}) over (order by id) - ({bytes}) as _before
    from (
        select {columns} from {table} where {conditions} and id > {after} order by id limit {limit}
    ) as page
) as sized
where _before < {most_bytes}
order by id

-- name: one
select {columns} from {table} where id = {id}

-- name: patience
-- Rather no answer than a late one.
select set_config('lock_timeout', %(lock)s, true), set_config('statement_timeout', %(statement)s, true)

-- name: hold_table
-- As any insert does: nobody puts another table in its place now, nor another sequence of ids.
lock table {table} in row exclusive mode

-- name: draw_number
-- Later than all jobs so far, earlier than all to come.
select nextval(pg_get_serial_sequence('dropload.job', 'number')) as number

-- name: draw_ids
select nextval(sequence) as id
from (select pg_get_serial_sequence({target}, 'id')::regclass as sequence) as ids, generate_series(1, %(count)s)

-- name: by_key
select wanted.place, kept.id, kept._origin as origin
from unnest({lists}) with ordinality as wanted ({names}, place)
join {table} as kept on {same}

-- name: hold_row
select id from {table} where id = %(_id)s for update

-- name: others
select id from {table} where {same} and id <> %(_id)s limit 1

-- name: dangling
-- A null in any of the fields refers to nothing.
select ({values}) is not null and not exists (select from {parent} where {same}) as dangling

-- name: change
set constraints all immediate;
update {table} set {assignments}, _origin = %(_origin)s where id = %(_id)s

-- name: remove
set constraints all immediate;
delete from {table} where id = %(_id)s

-- name: columns_of
select dropload.columns_of_constraint({target}::regclass, %(constraint)s) as columns

-- name: hold_alone
-- Whoever waits for a whole table makes all who come later wait, too.
lock table {table} in access exclusive mode

-- name: may_truncate
select not exists (select from pg_constraint where confrelid = {target}::regclass and conrelid <> confrelid)
       and not exists (select from pg_trigger where tgrelid = {target}::regclass and not tgisinternal) as free

-- name: count
select count(*) as rows from {table}

-- name: truncate
truncate {table}

-- name: remove_all
set constraints all immediate;
delete from {table}

-- name: announce
insert into dropload.record_event (dataset, event, ids, write)
values (%(dataset)s, %(event)s, %(ids)s, %(write)s)
