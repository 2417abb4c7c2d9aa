-- A job whose model overfits begins anew: which start something belongs to, and what the earlier ones took.

alter table job
  add column start_number integer not null default 1,
  add column earlier_epochs double precision not null default 0,
  add column earlier_training_seconds double precision not null default 0;
comment on column job.start_number is 'The start that the mainline belongs to, from 1; one more each time training begins anew.';
comment on column job.earlier_epochs is 'Passes over the training data of the starts before it; max_epochs bounds them too.';
comment on column job.earlier_training_seconds is 'What of training_seconds is not the mainline''s as it is now.';

alter table branch add column start_number integer not null default 1;
comment on column branch.start_number is 'The start that it belongs to, from 1.';

alter table evaluation add column start_number integer not null default 1;
comment on column evaluation.start_number is 'The start whose mainline was evaluated, from 1.';

alter table snapshot add column start_number integer not null default 1;
comment on column snapshot.start_number is 'The start whose mainline was saved, from 1.';

alter table job_result add column start_number integer not null default 1;
comment on column job_result.start_number is 'The start that it belongs to, from 1.';
