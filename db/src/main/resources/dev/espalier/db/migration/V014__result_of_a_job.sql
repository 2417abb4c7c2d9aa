-- Which model is a job's result stands with the job, wherever that is shown; the long way to it stays apart.

alter table job
  add column result_start integer,
  add column result_branch integer,
  add column result_clock bigint,
  add column result_epoch double precision,
  add column result_value double precision;
comment on column job.result_start is 'The start that the job''s result belongs to, from 1; null while there is no result.';
comment on column job.result_branch is 'The branch that it is.';
comment on column job.result_clock is 'Its mainline clock.';
comment on column job.result_epoch is 'The same in passes over the training data.';
comment on column job.result_value is 'The first validation metric there; NaN where none is known.';

update job set
  result_start = job_result.start_number,
  result_branch = job_result.branch,
  result_clock = job_result.mainline_clock,
  result_epoch = job_result.epoch,
  result_value = job_result.value
from job_result
where job_result.job_id = job.job_id;

alter table job_result
  drop column start_number,
  drop column branch,
  drop column mainline_clock,
  drop column epoch,
  drop column value;
comment on table job_result is 'What leads to the model that a job would end with now, or ended with.';
