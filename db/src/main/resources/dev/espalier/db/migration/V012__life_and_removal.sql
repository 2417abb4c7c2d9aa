-- How old a job is by its own clock, who starts its workers, and whether it is being removed.

alter table job
  add column at_seconds double precision not null default 0,
  add column launch text not null default 'LOCAL',
  add column delete_time timestamptz;
comment on column job.at_seconds is 'Seconds of the job''s life at its last event; max_seconds bounds them.';
comment on column job.launch is 'Who starts the workers: LOCAL for this server, EXTERNAL for somebody else.';
comment on column job.delete_time is 'When its removal began, which takes several transactions; null while it is to stay. Nobody is shown it from then on.';

update job set
  launch = coalesce(spec ->> 'launch', 'LOCAL'),
  at_seconds = coalesce(
    (select (event ->> 'atSeconds')::double precision from session_event
      where session_event.job_id = job.job_id and sequence = job.event_count), 0);

create index job_delete_index on job (job_id) where delete_time is not null;
