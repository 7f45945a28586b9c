-- Rows of a shadow without indexes: their ids, and which of them must go for their keys. {braces} as in shadow.sql.

-- name: is_keyed
-- The index of ids may have been made early.
select exists (
    select from pg_index join pg_attribute on attrelid = indrelid and attname = 'id'
    where indrelid = {shadow_name}::regclass
      and (indisprimary or indisexclusion
           or indisunique and (indnatts > 1 or indkey[0] <> attnum or indpred is not null))
) as found

-- name: one_at_a_time
set local lock_timeout = '600s';
lock table {shadow} in share row exclusive mode;
set local lock_timeout to default

-- name: savepoint
savepoint bulk

-- name: roll_back
rollback to savepoint bulk

-- name: release
release savepoint bulk

-- name: check_at_once
set constraints all immediate

-- name: lock_ids
-- One job at a time, so that it gets them in one run, and none while a swap exchanges the sequence.
select pg_advisory_xact_lock(hashtextextended('dropload swap ' || %(dataset)s, 0))

-- name: draw
select min(id) as lowest, max(id) as highest, min(step) as step
from (
    select nextval(sequence) as id, step
    from (
        select seqrelid::regclass as sequence, seqincrement as step
        from pg_sequence
        where seqrelid = pg_get_serial_sequence({target}, 'id')::regclass
    ) as ids
    cross join generate_series(1, %(records)s)
) as drawn

-- name: draw_in_runs
-- Others who insert into the table may draw at any moment, and break a run.
with drawn as materialized (
    select record, nextval(sequence) as id, step
    from (
        select seqrelid::regclass as sequence, seqincrement as step
        from pg_sequence
        where seqrelid = pg_get_serial_sequence({target}, 'id')::regclass
    ) as ids
    cross join generate_series(1, %(records)s) as record
)
select record, id, step
from (select record, id, step, lag(id) over (order by record) as before from drawn) as drawn
where before is null or before + step <> id
order by record

-- name: note
insert into dropload.drawn (job, batch, record, count, id, step) values %s

-- name: keys
-- But for the one of ids, which are never drawn twice.
select statement, columns
from dropload.keys_of({target}::regclass)
join dropload.missing_indexes({target}::regclass, {shadow_name}, %(job)s) using (name)
where columns <> '{{id}}'
order by name

-- name: early
select dropload.early_indexes({target}::regclass, {shadow_name}, %(job)s) as statement
where not exists (select from dropload.replaced where dataset = %(dataset)s and job > %(job)s)

-- name: hurry
set local lock_timeout = '1s'

-- name: begin_contested
create temp table _contested (place tid not null) on commit drop

-- name: contest
select dropload.contest({shadow_name}, %(columns)s)

-- name: take_apart
-- Contested rows as the batches' records that they are, and their keys.
create temp table _row on commit drop as
select contested.place, drawn.batch, (drawn.record + (shadow.id - drawn.id) / drawn.step)::integer as record, {values}
from (select distinct place from pg_temp._contested) as contested
join {shadow} as shadow on shadow.ctid = contested.place
join dropload.drawn on drawn.job = %(job)s and drawn.batch = (shadow._origin & 8388607)
     and (shadow.id - drawn.id) / drawn.step between 0 and drawn.count - 1;
create temp table _kept (like pg_temp._row) on commit drop;
select (select count(*) from pg_temp._row) - (select count(distinct place) from pg_temp._contested) as missing

-- name: keep_apart
create unique index on pg_temp._kept ({columns})

-- name: decide
-- Each as if it came alone, in file order.
insert into pg_temp._kept select * from pg_temp._row order by batch, record on conflict do nothing;
analyze pg_temp._kept;
create temp table _lost on commit drop as
select * from pg_temp._row
where not exists (select from pg_temp._kept as kept where (kept.batch, kept.record) = (_row.batch, _row.record));
create unique index on pg_temp._lost (batch, record);
analyze pg_temp._lost;
create temp table _met (
    batch integer, record integer, key integer, winner_batch integer, winner_record integer
) on commit drop;
create temp table _line (batch integer, record integer, line bigint, primary key (batch, record)) on commit drop

-- name: meet
insert into pg_temp._met (batch, record, key, winner_batch, winner_record)
select lost.batch, lost.record, %(key)s, kept.batch, kept.record
from pg_temp._lost as lost join pg_temp._kept as kept on {same}
where (kept.batch, kept.record) < (lost.batch, lost.record)

-- name: index_met
create index on pg_temp._met (batch, record);
create index on pg_temp._met (winner_batch, winner_record);
analyze pg_temp._met;
select count(*) as records from pg_temp._lost

-- name: remove
delete from {shadow} as shadow using pg_temp._lost where shadow.ctid = _lost.place

-- name: book
update dropload.batch
set inserted = inserted - lost.records, rejected = rejected + lost.records
from (select batch, count(*) as records from pg_temp._lost group by batch) as lost
where batch.job = %(job)s and batch.number = lost.batch

-- name: concerned
select number, byte_start, byte_end, first_line, oversize, read
from dropload.batch
where job = %(job)s
  and number in (select batch from pg_temp._lost union select winner_batch from pg_temp._met)
order by number

-- name: winners
select distinct winner_record as record from pg_temp._met where winner_batch = %(batch)s order by record

-- name: copy_lines
copy pg_temp._line (batch, record, line) from stdin

-- name: losers
-- With the keys that each has lost and the lines of those who have them.
select lost.record, coalesce(array_agg(met.key order by met.key) filter (where met.key is not null), '{}') as keys,
       coalesce(array_agg(line.line order by met.key) filter (where met.key is not null), '{}') as lines
from pg_temp._lost as lost
left join pg_temp._met as met on (met.batch, met.record) = (lost.batch, lost.record)
left join pg_temp._line as line on (line.batch, line.record) = (met.winner_batch, met.winner_record)
where lost.batch = %(batch)s
group by lost.record
order by lost.record

-- name: tidy
drop table pg_temp._contested, pg_temp._row, pg_temp._kept, pg_temp._lost, pg_temp._met, pg_temp._line
