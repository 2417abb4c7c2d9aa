-- What is written of a job goes with it.

alter table session_event
  drop constraint session_event_job_id_fkey,
  add constraint session_event_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table decision
  drop constraint decision_job_id_fkey,
  add constraint decision_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table round
  drop constraint round_job_id_fkey,
  add constraint round_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table branch
  drop constraint branch_job_id_fkey,
  add constraint branch_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table schedule_step
  drop constraint schedule_step_job_id_fkey,
  add constraint schedule_step_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table evaluation
  drop constraint evaluation_job_id_fkey,
  add constraint evaluation_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table metric_point
  drop constraint metric_point_job_id_fkey,
  add constraint metric_point_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table stream_event
  drop constraint stream_event_job_id_fkey,
  add constraint stream_event_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table worker_secret
  drop constraint worker_secret_job_id_fkey,
  add constraint worker_secret_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table job_result
  drop constraint job_result_job_id_fkey,
  add constraint job_result_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table loss_block
  drop constraint loss_block_job_id_fkey,
  add constraint loss_block_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
alter table snapshot
  drop constraint snapshot_job_id_fkey,
  add constraint snapshot_job_id_fkey foreign key (job_id) references job on delete cascade not valid;
