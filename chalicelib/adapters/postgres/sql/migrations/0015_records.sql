-- Records that are written through the API, one by one or a few at a time.

-- What was written, in the transaction that wrote it: whoever has to be told reads it here.
create table dropload.record_event (
    number         bigint generated always as identity primary key,
    dataset        text not null,
    event          text not null check (event in ('record.created', 'record.updated', 'record.deleted')),
    ids            bigint[],                   -- of the rows; null for all that there were
    write          bigint not null,            -- drawn like a job's number: `_origin >> 23` of rows that were written
    created_at     timestamptz not null default now()
);

create index record_event_write on dropload.record_event (write);

-- What was loaded on each day.
create index job_dataset_created on dropload.job (dataset, created_at);

-- As in 0001, but for ids that are drawn beforehand.
create or replace function dropload.insert_singly(
    target regclass, stage regclass, columns text[], types text[], rows integer[]
) returns table (row_number integer, refusal_state text, refusal_constraint text)
language plpgsql as $$
declare
    names text := (select string_agg(quote_ident(name), ', ' order by at)
                   from unnest(columns) with ordinality as c (name, at));
    casts text := (select string_agg(format('%I::%s', name, type), ', ' order by at)
                   from unnest(columns, types) with ordinality as c (name, type, at));
    one text := format('insert into %s (%s) overriding system value select %s from %s where _row = $1 '
                       'on conflict do nothing',
                       target, names, casts, stage);
    taken bigint;
begin
    set constraints all immediate;
    foreach row_number in array rows loop
        refusal_state := null;
        refusal_constraint := null;
        begin
            execute one using row_number;
            get diagnostics taken = row_count;
            if taken = 0 then
                return next;
            end if;
        exception when integrity_constraint_violation or data_exception or raise_exception then
            get stacked diagnostics refusal_state = returned_sqlstate, refusal_constraint = constraint_name;
            return next;
        end;
    end loop;
end $$;
