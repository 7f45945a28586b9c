-- Who may ask what, and what was answered to whom.

alter table dropload.api_key
    add column datasets     text[],             -- that are there for it; null for all
    add column last_used_at timestamptz;        -- to the minute

create index api_key_order on dropload.api_key (created_at, id);

-- Answers to POSTs with an Idempotency-Key, so that the same request again is answered the same and does nothing.
create table dropload.answer (
    caller         text not null,
    key            text not null,
    request        bytea not null,             -- SHA-256 of method, path and body
    status         integer,                    -- null while the request is being served
    headers        jsonb,
    body           text,                       -- null where it held a secret, or was erased
    dataset        text,                       -- whose records it may have
    created_at     timestamptz not null default now(),
    primary key (caller, key)
);

create index answer_age on dropload.answer (created_at);
