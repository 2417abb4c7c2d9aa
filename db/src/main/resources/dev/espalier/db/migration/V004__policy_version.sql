-- A replay can say whether the policy that decided is the one that is asked now.
alter table job add column policy_version integer not null default 0;
comment on column job.policy_version is 'Version of the policy that the job began with; 0 where it was not written down.';
