-- When a job ends at the latest, in columns, so that a list of jobs need not read job files.

alter table job
  add column max_seconds double precision not null default 0,
  add column max_epochs double precision not null default 0;
comment on column job.max_seconds is 'Seconds that the job may take; 0 for no bound.';
comment on column job.max_epochs is 'Passes over the data that its mainline may make; 0 for no bound, and where runs are trained side by side.';

update job set
  max_seconds = coalesce((spec -> 'stop' ->> 'maxSeconds')::double precision, 0),
  max_epochs = case when policy in ('racing', 'mltuner', 'fixed')
    then coalesce((spec -> 'stop' ->> 'maxEpochs')::double precision, 0) else 0 end;
