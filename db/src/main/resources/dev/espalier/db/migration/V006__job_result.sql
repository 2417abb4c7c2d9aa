-- What a job came to: the path that leads to its model, for whoever trains along it again, and for
-- later jobs of the same program.

alter table job add column data_fingerprint text not null default '';
comment on column job.data_fingerprint is 'Digest of names and sizes of the files of the data folder; empty where there are none, and where it was not written down.';

create table job_result (
  job_id text primary key references job,
  branch integer not null,
  mainline_clock bigint not null,
  epoch double precision not null,
  value double precision not null,
  path json not null
);
comment on table job_result is 'The model that a job would end with now, or ended with.';
comment on column job_result.job_id is 'The job.';
comment on column job_result.branch is 'The branch that it is.';
comment on column job_result.mainline_clock is 'Its mainline clock.';
comment on column job_result.epoch is 'The same in passes over the training data.';
comment on column job_result.value is 'The first validation metric there; NaN where none is known.';
comment on column job_result.path is 'Settings, and over which clocks their rates fell to zero, by mainline clock.';

create index job_program_index on job (program, position desc);
