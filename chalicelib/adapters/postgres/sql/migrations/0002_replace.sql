-- Policy replace: a file's rows are loaded into a shadow of their table, dropload.shadow_<job>, which then becomes the
-- table (docs/replace.md).

-- Whose rows a table holds, for each dataset that was ever to be replaced. Locked by whoever replaces it.
create table dropload.replaced (
    dataset        text primary key,
    job            bigint not null default 0   -- 0 until the first file has been swapped in
);

-- The ids that batches have drawn for their records: record n has the id ``id + step * (n - record)``.
create table dropload.drawn (
    job            bigint not null,
    batch          integer not null,
    record         integer not null,           -- the first of them
    count          integer not null,
    id             bigint not null,            -- of the first
    step           bigint not null,
    primary key (job, batch, record),
    foreign key (job, batch) references dropload.batch (job, number) on delete cascade
);

-- A table's indexes: the constraint or the rest of a CREATE INDEX that makes the same one on a table like it.
create function dropload.indexes_of(target regclass)
returns table (name text, is_key boolean, rule text, definition text)
language sql stable as $$
    select class.relname::text, index.indisunique or index.indisexclusion, pg_get_constraintdef(made_by.oid),
           substr(spelled.after_name, strpos(spelled.after_name, ' USING '))
    from pg_index as index
    join pg_class as class on class.oid = index.indexrelid
    left join pg_constraint as made_by
           on made_by.conindid = index.indexrelid and made_by.conrelid = target and made_by.contype in ('p', 'u', 'x')
    cross join lateral (
        select split_part(pg_get_indexdef(index.indexrelid), 'INDEX ' || quote_ident(class.relname) || ' ON ', 2)
    ) as spelled (after_name)
    where index.indrelid = target
$$;

-- What a shadow calls its own index until that takes the other's place.
create function dropload.shadow_index(job bigint, name text) returns text
language sql immutable as $$ select format('shadow_%s_%s', job, md5(name)) $$;

-- What the shadow lacks of the target's indexes, and the statements that make them. An index of a primary key may be there
-- without being one yet.
create function dropload.missing_indexes(target regclass, shadow text, job bigint)
returns table (name text, is_key boolean, statement text)
language sql stable as $$
    select wanted.name, wanted.is_key,
           case
               when its.name is not null then
                   format('alter table %s add constraint %I primary key using index %2$I', shadow, its.name)
               when wanted.rule is not null then
                   format('alter table %s add constraint %I %s', shadow, own_name, wanted.rule)
               else
                   format('create %s index %I on %s %s', case when wanted.is_key then 'unique' end, own_name, shadow,
                          wanted.definition)
           end
    from dropload.indexes_of(target) as wanted
    cross join lateral (select dropload.shadow_index(job, wanted.name) as own_name) as named
    left join dropload.indexes_of(shadow::regclass) as its on its.name = own_name
    where its.name is null or its.rule is null and wanted.rule like 'PRIMARY KEY%'
    order by wanted.name
$$;

-- Statements by which somebody else may make indexes of the shadow while its rows' keys are looked at: those that refuse
-- no row, and that of the ids, which are all different. None where others will lock the whole shadow meanwhile.
create function dropload.early_indexes(target regclass, shadow text, job bigint) returns setof text
language sql stable as $$
    select format('create %s index %I on %s %s', case when is_key then 'unique' end, dropload.shadow_index(job, name),
                  shadow, definition)
    from dropload.indexes_of(target)
    where (not is_key or rule = 'PRIMARY KEY (id)')
      and not exists (select from dropload.indexes_of(target) as its
                      where its.is_key and its.rule is not null and its.rule <> 'PRIMARY KEY (id)')
      and not exists (select from dropload.indexes_of(shadow::regclass) as its
                      where its.name = dropload.shadow_index(job, indexes_of.name))
    order by is_key desc, name
$$;

-- Makes the indexes that the shadow lacks; all, or only those that keep rows out.
create function dropload.index_shadow(target regclass, shadow text, job bigint, only_keys boolean) returns void
language plpgsql as $$
declare
    made text;
begin
    for made in
        select statement from dropload.missing_indexes(target, shadow, job) where is_key or not only_keys
    loop
        execute made;
    end loop;
end $$;

-- The unique indexes by which rows are the same where GROUP BY says so: of columns, of all rows, each column compared as
-- it always is, nulls meeting nothing.
create function dropload.keys_of(target regclass)
returns table (name text, columns text[])
language sql stable as $$
    select class.relname::text,
           (select array_agg(attname::text order by place)
            from unnest(parts.numbers) with ordinality as part (attnum, place)
            join pg_attribute using (attnum)
            where attrelid = target)
    from pg_index as index
    join pg_class as class on class.oid = index.indexrelid
    join pg_am as method on method.oid = class.relam
    cross join lateral (
        select (index.indkey::int2[])[0:index.indnkeyatts - 1] as numbers,
               (index.indclass::oid[])[0:index.indnkeyatts - 1] as classes,
               (index.indcollation::oid[])[0:index.indnkeyatts - 1] as collations
    ) as parts
    where index.indrelid = target and index.indisunique and not index.indisexclusion
      and index.indexprs is null and index.indpred is null and method.amname = 'btree'
      and pg_get_indexdef(index.indexrelid) not like '%NULLS NOT DISTINCT%'
      and not exists (select from pg_opclass where oid = any (parts.classes) and not opcdefault)
      and not exists (select from unnest(parts.numbers, parts.collations) as part (attnum, collated)
                      join pg_attribute using (attnum)
                      where attrelid = target and attcollation <> collated)
$$;

-- Whether rows that the table would refuse for their keys can be found when all of them are there: then its shadow
-- needs no index before.
create function dropload.is_plain(target regclass) returns boolean
language sql stable as $$
    select pg_get_serial_sequence(target::text, 'id') is not null
           and not exists (select from pg_constraint where conrelid = target and contype = 'f' and confrelid = target)
           and not exists (select from dropload.indexes_of(target)
                           where is_key and name not in (select its.name from dropload.keys_of(target) as its))
$$;

-- A table that refuses what the target refuses, but for keys where that is plain, and whose ids are the target's next
-- ones. It finds the sequence of ids by its name each time: another job may put a new one in its place meanwhile.
create function dropload.make_shadow(target regclass, job bigint) returns void
language plpgsql as $$
declare
    shadow text := format('dropload.shadow_%s', job);
    ids text := (select pg_get_serial_sequence(target::text, 'id') from pg_attribute
                 where attrelid = target and attname = 'id' and attidentity <> '');
    statement text;
begin
    execute format('create table %s (like %s including all excluding identity excluding indexes excluding statistics)',
                   shadow, target);
    if ids is not null then
        execute format('alter table %s alter column id set default nextval(%L::text::regclass)', shadow, ids);
    end if;
    if not dropload.is_plain(target) then
        perform dropload.index_shadow(target, shadow, job, true);
    end if;
    for statement in
        select format('alter table %s add constraint %I %s', shadow, conname,
                      case when confrelid = target
                           then replace(spelled, format('REFERENCES %s(', target), format('REFERENCES %s(', shadow))
                           else spelled end)
        from pg_constraint, pg_get_constraintdef(oid) as spelled
        where conrelid = target and contype = 'f'
        order by conname
    loop
        execute statement;
    end loop;
end $$;

-- Whether nothing knows the table but by its name, so that the shadow may take its place.
create function dropload.is_free(target regclass) returns boolean
language sql stable as $$
    with its as (
        select class.*, type.typarray,
               (select objid from pg_depend where classid = 'pg_class'::regclass and refobjid = target
                  and refclassid = 'pg_class'::regclass and deptype = 'i'
                  and objid in (select seqrelid from pg_sequence)) as ids
        from pg_class as class join pg_type as type on type.oid = class.reltype
        where class.oid = target
    )
    select relkind = 'r' and relpersistence = 'p' and not relhassubclass and not relispartition and reloftype = 0
           and relowner = (select oid from pg_roles where rolname = current_user)
           and relacl is null and reltablespace = 0 and reloptions is null and relreplident = 'd'
           and not relrowsecurity and not relforcerowsecurity and not relhasrules and not relhastriggers
           and ids is not null
           and (select relacl from pg_class where oid = ids) is null
           and not exists (select from pg_inherits where inhrelid = target)
           and not exists (select from pg_attribute where attrelid = target and attacl is not null)
           and not exists (select from pg_depend
                           where classid = 'pg_class'::regclass and objid = target and deptype in ('e', 'x'))
           and not exists (select from pg_publication_tables
                           where schemaname = relnamespace::regnamespace::name and tablename = relname)
           and not exists (select from pg_index as index join pg_class as class on class.oid = index.indexrelid
                           where index.indrelid = target
                             and (index.indisclustered or not index.indisvalid or class.reltablespace <> 0
                                  or class.reloptions is not null))
           -- Views, rules, foreign keys, triggers, policies, statistics, functions ...: all that is not a part of it.
           and not exists (
               select from pg_depend
               where (refclassid = 'pg_class'::regclass and refobjid in (target, ids)
                      or refclassid = 'pg_type'::regclass and refobjid in (reltype, typarray))
                 and not (classid = 'pg_type'::regclass and objid in (reltype, typarray))
                 and not (classid = 'pg_class'::regclass and objid in (ids, reltoastrelid))
                 and not (classid = 'pg_class'::regclass
                          and objid in (select indexrelid from pg_index where indrelid = target))
                 and not (classid = 'pg_attrdef'::regclass
                          and objid in (select oid from pg_attrdef where adrelid = target))
                 and not (classid = 'pg_constraint'::regclass
                          and objid in (select oid from pg_constraint where conrelid = target and contype <> 'f'))
           )
    from its
$$;

-- What makes a table what it is, but for its ids' default: alike in the target and in a shadow that may take its place.
-- The target's indexes are named as the job's shadow calls them; for the shadow itself job is null.
create function dropload.shape(target regclass, job bigint, with_indexes boolean) returns text[]
language sql stable as $$
    select array_agg(line order by line)
    from (
        select format('column %s %s %s %s %s %s %s %s', row_number() over (order by attnum), attname,
                      format_type(atttypid, atttypmod), attnotnull, attcollation, attgenerated, attoptions,
                      case when attname <> 'id' then pg_get_expr(adbin, adrelid) end)
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = target and attnum > 0 and not attisdropped
        union all
        select format('check %s %s', conname, pg_get_constraintdef(oid))
        from pg_constraint
        where conrelid = target and contype = 'c'
        union all
        select format('index %s %s %s %s', case when job is null then name else dropload.shadow_index(job, name) end,
                      is_key, rule, definition)
        from dropload.indexes_of(target)
        where with_indexes
    ) as shape (line)
$$;

-- Whether a transaction that pauses between two statements has a snapshot older than our own transaction: it would see
-- of the shadow's rows those only that were committed before its snapshot, and not one row of the table any more.
create function dropload.is_watched() returns boolean
language sql volatile as $$
    select exists (
        select from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
          and age(backend_xmin) > age(pg_current_xact_id()::xid)
          and (state like 'idle in transaction%' or query_start > xact_start and application_name <> 'dropload')
    )
$$;

-- Puts the shadow in the table's place, with the names of all its parts. The caller has locked the table.
create function dropload.swap_in(target regclass, shadow regclass, job bigint) returns void
language plpgsql as $$
declare
    home name;
    own name;
    remark text := obj_description(target, 'pg_class');
    ids record;
    drawn record;
    kind text;
    index record;
    indexes jsonb;
begin
    select nspname, relname into home, own
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = target;
    select jsonb_agg(jsonb_build_object('name', name,
                                        'remark', obj_description(format('%I.%I', home, name)::regclass, 'pg_class')))
    into indexes
    from dropload.indexes_of(target);
    select pg_sequence.*, nspname, relname, seqrelid::regclass as spelled into ids
    from pg_sequence join pg_class on pg_class.oid = seqrelid join pg_namespace on pg_namespace.oid = relnamespace
    where seqrelid = pg_get_serial_sequence(target::text, 'id')::regclass;
    execute format('select last_value, is_called from %s', ids.spelled) into drawn;
    select case attidentity when 'a' then 'always' else 'by default' end into kind
    from pg_attribute
    where attrelid = target and attname = 'id';

    execute format('drop table %s', target);
    execute format('alter table %s set schema %I', shadow, home);
    execute format('alter table %I.%I rename to %I', home, format('shadow_%s', job), own);
    for index in select * from jsonb_to_recordset(indexes) as each (name text, remark text) loop
        execute format('alter index %I.%I rename to %I', home, dropload.shadow_index(job, index.name), index.name);
        if index.remark is not null then
            execute format('comment on index %I.%I is %L', home, index.name, index.remark);
        end if;
    end loop;
    execute format('alter table %I.%I alter column id drop default, alter column id add generated %s as identity '
                   '(sequence name %I.%I start with %s increment by %s minvalue %s maxvalue %s cache %s %s)',
                   home, own, kind, ids.nspname, ids.relname, ids.seqstart, ids.seqincrement, ids.seqmin, ids.seqmax,
                   ids.seqcache, case when ids.seqcycle then 'cycle' else 'no cycle' end);
    perform setval(format('%I.%I', ids.nspname, ids.relname)::regclass, drawn.last_value, drawn.is_called);
    if remark is not null then
        execute format('comment on table %I.%I is %L', home, own, remark);
    end if;
end $$;

-- Puts the shadow's rows in the place of the table's, in one statement: a foreign key on the table asks at its end
-- whether the rows that it needs are there.
create function dropload.copy_in(target regclass, shadow regclass) returns void
language plpgsql as $$
declare
    columns text := (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                     where attrelid = shadow and attnum > 0 and not attisdropped and attgenerated = '');
begin
    set constraints all immediate;
    execute format('with gone as (delete from %1$s returning 1) '
                   'insert into %1$s (%2$s) overriding system value select %2$s from %3$s '
                   'where (select count(*) from gone) >= 0', target, columns, shadow);
end $$;

-- Adds to pg_temp._contested where the rows are that share the values of these columns with another row.
create function dropload.contest(shadow text, columns text[]) returns void
language plpgsql set enable_hashagg = off as $$
declare
    key text := (select string_agg(format('%I', name), ', ' order by place)
                 from unnest(columns) with ordinality as key (name, place));
    present text := (select string_agg(format('%I is not null', name), ' and ') from unnest(columns) as name);
begin
    execute format('create temp table _shared on commit drop as '
                   'select %2$s from %1$s where %3$s group by %2$s having count(*) > 1', shadow, key, present);
    analyze pg_temp._shared;
    execute format('insert into pg_temp._contested '
                   'select shadow.ctid from %1$s as shadow join pg_temp._shared using (%2$s)', shadow, key);
    drop table pg_temp._shared;
end $$;
