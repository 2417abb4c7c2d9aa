-- Jobs: the log of each job is the truth, all other tables are what it came to.
-- Text in "json" columns keeps every number exactly as written; "jsonb" would lose the sign of zero.

create table job (
  job_id text primary key check (job_id ~ '^[A-Za-z0-9_]{1,64}$'),
  position bigint generated always as identity unique,
  name text not null,
  program text not null,
  policy text not null,
  searcher text not null,
  worker_count integer not null check (worker_count >= 1),
  seed bigint not null,
  spec json not null,
  created_by text not null,
  create_time timestamptz not null,
  end_time timestamptz,
  state text not null,
  reason text not null,
  message text not null,
  waiting_for text not null,
  state_time timestamptz not null,
  setting json not null,
  mainline_branch integer not null default 0,
  mainline_fork_clock bigint not null default 0,
  mainline_clock bigint not null default 0,
  epoch double precision not null default 0,
  known_epoch_clock bigint not null default 0,
  known_epoch double precision not null default 0,
  training_sample_count bigint not null default 0,
  default_batch_size integer not null default 0,
  loss double precision,
  metrics json not null default '{}',
  round integer not null default 0,
  tuning_seconds double precision not null default 0,
  training_seconds double precision not null default 0,
  evaluation_seconds double precision not null default 0,
  branch_count integer not null default 0,
  generation integer not null default 0,
  event_count bigint not null default 0,
  decision_count bigint not null default 0,
  stream_count bigint not null default 0,
  version bigint not null default 0
);
create index job_state_index on job (state, position desc);
comment on table job is 'A training run under the tuner: what was asked for and where it stands now.';
comment on column job.job_id is 'Identifier, such as job_0198f3...; letters, digits and underscore.';
comment on column job.position is 'Order of creation; lists are paged by it.';
comment on column job.name is 'Name for people.';
comment on column job.program is 'Name of the registered program that the job runs.';
comment on column job.policy is 'Tuning policy, such as mltuner or fixed.';
comment on column job.searcher is 'Searcher, such as tpe.';
comment on column job.worker_count is 'Worker processes that train together.';
comment on column job.seed is 'Seed of everything random in the job.';
comment on column job.spec is 'The checked job file with every default filled in.';
comment on column job.created_by is 'Who submitted the job, such as token:ci.';
comment on column job.create_time is 'When the job was submitted.';
comment on column job.end_time is 'When the job ended for good; null while it has not.';
comment on column job.state is 'QUEUED, STARTING, TUNING, TRAINING, PAUSED, STOPPING, COMPLETED, CANCELED or FAILED.';
comment on column job.reason is 'Code behind the state, such as round-running.';
comment on column job.message is 'The reason in words.';
comment on column job.waiting_for is 'What must happen next; empty when nothing is waited for.';
comment on column job.state_time is 'When the state was entered.';
comment on column job.setting is 'Value by tunable that the mainline runs with.';
comment on column job.mainline_branch is 'Number of the branch that is the mainline now.';
comment on column job.mainline_fork_clock is 'Mainline clock at which that branch was forked.';
comment on column job.mainline_clock is 'Clocks on the mainline, ancestors included.';
comment on column job.epoch is 'Passes over the training data on the mainline.';
comment on column job.known_epoch_clock is 'Mainline clock at which the session last named the epoch.';
comment on column job.known_epoch is 'The epoch it named then.';
comment on column job.training_sample_count is 'Samples of one epoch; 0 before the workers said so.';
comment on column job.default_batch_size is 'Samples per worker and clock where no setting names batchSize; 0 when unknown.';
comment on column job.loss is 'Latest mean training loss of the mainline; may be NaN; null before the first clock.';
comment on column job.metrics is 'Latest validation metrics of the mainline, value by name.';
comment on column job.round is 'Number of the latest round; 0 before the first.';
comment on column job.tuning_seconds is 'Branch seconds spent on probes and losing trials.';
comment on column job.training_seconds is 'Branch seconds spent on the mainline, winning trials included.';
comment on column job.evaluation_seconds is 'Seconds spent on evaluations.';
comment on column job.branch_count is 'Branches the job has made.';
comment on column job.generation is 'Set of workers, from 1; one more each time they are started anew.';
comment on column job.event_count is 'Sequence of the last event in the log.';
comment on column job.decision_count is 'Sequence of the last decision.';
comment on column job.stream_count is 'Sequence of the last kept stream event.';
comment on column job.version is 'Grows with every change of state; for ETag and If-Match.';

create table session_event (
  job_id text not null references job,
  sequence bigint not null check (sequence >= 1),
  event json not null,
  log_time timestamptz not null,
  primary key (job_id, sequence)
);
comment on table session_event is 'The log: everything a job''s session was told, in order. Append-only.';
comment on column session_event.job_id is 'The job.';
comment on column session_event.sequence is 'Place in the job''s log, from 1 without gaps.';
comment on column session_event.event is 'The event; its type field names the variant. Numbers are exact; NaN and infinities are texts.';
comment on column session_event.log_time is 'When the server logged it.';

create table decision (
  job_id text not null references job,
  sequence bigint not null,
  key text not null,
  rule text not null,
  outcome text not null,
  actor text not null,
  round integer not null,
  evidence json not null,
  decide_time timestamptz not null,
  primary key (job_id, sequence),
  unique (job_id, key)
);
comment on table decision is 'What was compared, by which rule, with what outcome. Append-only.';
comment on column decision.job_id is 'The job.';
comment on column decision.sequence is 'Place in the job''s decisions, from 1.';
comment on column decision.key is 'Unique in the job, such as round-1/adopt; a second one with the same key is not taken.';
comment on column decision.rule is 'The rule that decided, such as mltuner.fastest-trial.';
comment on column decision.outcome is 'One sentence for people.';
comment on column decision.actor is 'policy, or who asked.';
comment on column decision.round is 'Round it belongs to; 0 outside rounds.';
comment on column decision.evidence is 'Numbers and texts the rule used, in reading order.';
comment on column decision.decide_time is 'When the server logged it.';

create table round (
  job_id text not null references job,
  number integer not null check (number >= 1),
  trigger text not null,
  phase text not null,
  parent_branch integer not null,
  trial_count integer not null,
  max_trial_count integer not null,
  trial_seconds double precision not null,
  winner_branch integer,
  outcome text not null,
  primary key (job_id, number)
);
comment on table round is 'A tuning episode of a job.';
comment on column round.job_id is 'The job.';
comment on column round.number is 'Number in the job, from 1.';
comment on column round.trigger is 'INITIAL, RETUNE or MANUAL.';
comment on column round.phase is 'probing, trial-time, searching or ended.';
comment on column round.parent_branch is 'The branch that its trials were forked from.';
comment on column round.trial_count is 'Settings tried so far.';
comment on column round.max_trial_count is 'Bound on the settings tried.';
comment on column round.trial_seconds is 'Current trial time in branch seconds.';
comment on column round.winner_branch is 'The branch that was adopted; null while none is.';
comment on column round.outcome is 'One sentence once ended; empty before.';

create table branch (
  job_id text not null references job,
  number integer not null check (number >= 0),
  parent_branch integer,
  kind text not null,
  round integer not null,
  setting json not null,
  state text not null,
  fork_clock bigint not null,
  clock_count bigint not null,
  run_seconds double precision not null,
  verdict text,
  speed double precision,
  slope double precision,
  noise double precision,
  loss_range double precision,
  judged_seconds double precision,
  window_means double precision[] not null,
  window_seconds double precision[] not null,
  primary key (job_id, number)
);
comment on table branch is 'A line of training with one setting: a trial, an evaluation or the mainline.';
comment on column branch.job_id is 'The job.';
comment on column branch.number is 'Number in the job; never used again.';
comment on column branch.parent_branch is 'The branch it was forked from; null for a first one.';
comment on column branch.kind is 'MAINLINE, TRIAL or EVALUATION.';
comment on column branch.round is 'Round it belongs to; 0 for none.';
comment on column branch.setting is 'Value by tunable.';
comment on column branch.state is 'FORKING, WAITING, RUNNING, MEASURED, KEPT, DISCARDED, FAILED or LOST.';
comment on column branch.fork_clock is 'Mainline clock of its fork point.';
comment on column branch.clock_count is 'Clocks it has run.';
comment on column branch.run_seconds is 'Branch seconds it has run.';
comment on column branch.verdict is 'CONVERGING, UNSTABLE, DIVERGED or INCONCLUSIVE; null before it was judged.';
comment on column branch.speed is 'Loss per second, >= 0; null before it was judged.';
comment on column branch.slope is 'Loss per second without the noise penalty; null before it was judged.';
comment on column branch.noise is 'Largest upward step between window means; null before it was judged.';
comment on column branch.loss_range is 'Last window mean less the first; null before it was judged.';
comment on column branch.judged_seconds is 'Seconds between first and last window mean; null before it was judged.';
comment on column branch.window_means is 'Window means of the loss that the judgement used; may hold NaN.';
comment on column branch.window_seconds is 'Branch seconds of these means.';

create table schedule_step (
  job_id text not null references job,
  from_clock bigint not null,
  from_epoch double precision not null,
  branch integer not null,
  setting json not null,
  primary key (job_id, from_clock)
);
comment on table schedule_step is 'The settings of the mainline over time.';
comment on column schedule_step.job_id is 'The job.';
comment on column schedule_step.from_clock is 'Mainline clock from which the setting holds.';
comment on column schedule_step.from_epoch is 'The same in passes over the training data.';
comment on column schedule_step.branch is 'The branch that brought the setting.';
comment on column schedule_step.setting is 'Value by tunable.';

create table evaluation (
  job_id text not null references job,
  sequence bigint not null,
  mainline_clock bigint not null,
  epoch double precision not null,
  at_seconds double precision not null,
  metrics json not null,
  primary key (job_id, sequence)
);
comment on table evaluation is 'Validation results of the mainline.';
comment on column evaluation.job_id is 'The job.';
comment on column evaluation.sequence is 'Place among the job''s evaluations, from 1.';
comment on column evaluation.mainline_clock is 'Mainline clock that was evaluated.';
comment on column evaluation.epoch is 'The same in passes over the training data.';
comment on column evaluation.at_seconds is 'Seconds of the job''s life.';
comment on column evaluation.metrics is 'Value by name; NaN and infinities are texts.';

create table metric_point (
  job_id text not null references job,
  branch integer not null,
  clock bigint not null,
  run_seconds double precision not null,
  loss double precision not null,
  primary key (job_id, branch, clock)
);
comment on table metric_point is 'The training loss of every clock of every branch.';
comment on column metric_point.job_id is 'The job.';
comment on column metric_point.branch is 'The branch.';
comment on column metric_point.clock is 'Branch-internal number of the clock.';
comment on column metric_point.run_seconds is 'Branch seconds at the end of the clock.';
comment on column metric_point.loss is 'Mean training loss; may be NaN or infinite.';

create table stream_event (
  job_id text not null references job,
  sequence bigint not null,
  type text not null,
  event_time timestamptz not null,
  data json not null,
  log_sequence bigint not null,
  primary key (job_id, sequence)
);
create index stream_event_log_index on stream_event (job_id, log_sequence);
comment on table stream_event is 'What live viewers are told, kept so that a viewer can catch up.';
comment on column stream_event.job_id is 'The job.';
comment on column stream_event.sequence is 'Place in the job''s stream, from 1.';
comment on column stream_event.type is 'Such as branch.changed.';
comment on column stream_event.event_time is 'When it happened.';
comment on column stream_event.data is 'The view that changed, as the interface shows it.';
comment on column stream_event.log_sequence is 'Last sequence of the job''s log when it was written.';

create table worker_secret (
  job_id text not null references job,
  generation integer not null,
  secret_sha256 bytea not null,
  primary key (job_id, generation)
);
comment on table worker_secret is 'What workers must show when they attach, hashed.';
comment on column worker_secret.job_id is 'The job.';
comment on column worker_secret.generation is 'Set of workers, from 1.';
comment on column worker_secret.secret_sha256 is 'SHA-256 of the secret.';
