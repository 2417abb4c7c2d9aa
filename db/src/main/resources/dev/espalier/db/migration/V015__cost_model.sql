-- Whether a job's seconds are those of its cost model stands with the job, wherever they are shown.

alter table job add column modelled boolean not null default false;
comment on column job.modelled is 'Whether its seconds come from a cost model, and not from the wall clock.';

update job set modelled = (spec ->> 'time') is not null;
