-- A row for each clock took eight times the room of its loss, where many are reported together.

create table loss_run (
  job_id text not null references job on delete cascade,
  branch integer not null,
  first_clock bigint not null,
  run_seconds double precision[] not null,
  losses double precision[] not null,
  primary key (job_id, branch, first_clock),
  check (cardinality(losses) = cardinality(run_seconds)),
  check (first_clock % 64 + cardinality(losses) between 1 and 64)
);
comment on table loss_run is 'The training losses of consecutive clocks of a branch, as they were reported together; none begins in one block of 64 clocks and ends in another.';
comment on column loss_run.job_id is 'The job.';
comment on column loss_run.branch is 'The branch.';
comment on column loss_run.first_clock is 'Branch-internal number of the first of the clocks.';
comment on column loss_run.run_seconds is 'Branch seconds at the end of each clock.';
comment on column loss_run.losses is 'Mean training loss of each clock; may be NaN or infinite.';

insert into loss_run
  select job_id, branch, min(clock), array_agg(run_seconds order by clock),
    array_agg(loss order by clock)
  from (
    select *, clock - row_number() over (partition by job_id, branch order by clock) as stretch
    from metric_point
  ) as point
  group by job_id, branch, clock / 64, stretch;

drop table metric_point;
