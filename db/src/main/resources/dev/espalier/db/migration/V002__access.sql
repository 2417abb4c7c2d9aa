-- Access: tokens, sessions of the web page, and answers kept for repeated requests.

create table api_token (
  token_id text primary key,
  name text not null,
  secret_sha256 bytea not null unique,
  create_time timestamptz not null,
  last_use_time timestamptz,
  revoke_time timestamptz
);
comment on table api_token is 'Tokens of the interface; the secret itself is shown once and kept nowhere.';
comment on column api_token.token_id is 'Identifier, such as tok_....';
comment on column api_token.name is 'Name for people; actors are written as token:name.';
comment on column api_token.secret_sha256 is 'SHA-256 of the token.';
comment on column api_token.create_time is 'When it was made.';
comment on column api_token.last_use_time is 'When it was last used, to the minute; null when never.';
comment on column api_token.revoke_time is 'When it was revoked; null while it is valid.';

create table web_session (
  secret_sha256 bytea primary key,
  token_id text not null references api_token,
  create_time timestamptz not null,
  expire_time timestamptz not null
);
comment on table web_session is 'Browsers that signed in with a one-time code.';
comment on column web_session.secret_sha256 is 'SHA-256 of the cookie.';
comment on column web_session.token_id is 'The token that the code was made with; revoking it ends the session.';
comment on column web_session.create_time is 'When the browser signed in.';
comment on column web_session.expire_time is 'When the session ends.';

create table idempotency_key (
  owner text not null,
  key text not null,
  request_sha256 bytea not null,
  create_time timestamptz not null,
  status integer,
  headers json,
  body bytea,
  primary key (owner, key)
);
create index idempotency_key_time_index on idempotency_key (create_time);
comment on table idempotency_key is 'Answers of requests with an Idempotency-Key, kept for 24 hours.';
comment on column idempotency_key.owner is 'Identifier of the token that sent the request.';
comment on column idempotency_key.key is 'The key as sent.';
comment on column idempotency_key.request_sha256 is 'SHA-256 of method, path, query and body.';
comment on column idempotency_key.create_time is 'When the first request came.';
comment on column idempotency_key.status is 'HTTP status of the answer; null while the request runs.';
comment on column idempotency_key.headers is 'Headers of the answer that are sent again.';
comment on column idempotency_key.body is 'Body of the answer.';
