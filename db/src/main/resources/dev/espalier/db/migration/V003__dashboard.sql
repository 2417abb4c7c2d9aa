-- What the page needs at a glance: a job's course in few points, losses in blocks, snapshots.

alter table job
  add column trail_clocks bigint not null default 1,
  add column trail_losses double precision[] not null default '{}',
  add column trail_turns bigint[] not null default '{}';
comment on column job.trail_clocks is 'Mainline clocks between two points of the trail; doubles when the trail is full.';
comment on column job.trail_losses is 'Mainline loss now and then, at most 64 points; NaN where none is known.';
comment on column job.trail_turns is 'Mainline clocks at which the schedule changed, the last ones.';

create table loss_block (
  job_id text not null references job,
  branch integer not null,
  block bigint not null,
  clock_count integer not null,
  non_finite integer not null,
  low double precision,
  high double precision,
  mean double precision,
  run_seconds double precision not null,
  primary key (job_id, branch, block)
);
comment on table loss_block is 'Training loss of 64 consecutive clocks as one row, so that long series are read fast.';
comment on column loss_block.job_id is 'The job.';
comment on column loss_block.branch is 'The branch.';
comment on column loss_block.block is 'Number of the block: clock divided by 64. Only blocks that are over have a row.';
comment on column loss_block.clock_count is 'Clocks in the block.';
comment on column loss_block.non_finite is 'How many of their losses were NaN or infinite.';
comment on column loss_block.low is 'Smallest finite loss; null when there is none.';
comment on column loss_block.high is 'Largest finite loss; null when there is none.';
comment on column loss_block.mean is 'Mean finite loss; null when there is none.';
comment on column loss_block.run_seconds is 'Branch seconds at the end of the block.';

insert into loss_block
  select job_id, branch, clock / 64, count(*),
    count(*) filter (where loss in ('NaN', 'Infinity', '-Infinity')),
    min(loss) filter (where loss not in ('NaN', 'Infinity', '-Infinity')),
    max(loss) filter (where loss not in ('NaN', 'Infinity', '-Infinity')),
    avg(loss) filter (where loss not in ('NaN', 'Infinity', '-Infinity')),
    max(run_seconds)
  from metric_point group by job_id, branch, clock / 64 having max(clock) % 64 = 63;

create table snapshot (
  job_id text not null references job,
  number bigint not null check (number >= 1),
  branch integer not null,
  mainline_clock bigint not null,
  epoch double precision not null,
  setting json not null,
  state text not null,
  size_bytes bigint not null,
  pinned boolean not null,
  create_time timestamptz not null,
  primary key (job_id, number)
);
comment on table snapshot is 'Durable snapshots of the mainline that a job has asked for.';
comment on column snapshot.job_id is 'The job.';
comment on column snapshot.number is 'Number in the job, from 1.';
comment on column snapshot.branch is 'The branch that was saved.';
comment on column snapshot.mainline_clock is 'Its mainline clock.';
comment on column snapshot.epoch is 'The same in passes over the training data.';
comment on column snapshot.setting is 'Value by tunable that it ran with.';
comment on column snapshot.state is 'WRITING, READY, FAILED or DROPPED.';
comment on column snapshot.size_bytes is 'Bytes over all workers; 0 before it is written.';
comment on column snapshot.pinned is 'Whether it is kept for good.';
comment on column snapshot.create_time is 'When it was asked for.';
