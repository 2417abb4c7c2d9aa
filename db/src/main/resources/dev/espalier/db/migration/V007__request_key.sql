-- A repeated request with an Idempotency-Key finds the job that the first one made, even if its answer was never kept.
alter table job add column request_key text;

create index job_request_key_index on job (request_key) where request_key is not null;

comment on column job.request_key is 'SHA-256 of token, Idempotency-Key and request that made the job; null when there was no key.';
