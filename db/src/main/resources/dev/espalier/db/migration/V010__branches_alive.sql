-- A job of many branches is shown by those that matter: the live ones are found without the others.
create index branch_alive_index on branch (job_id, number)
  where state in ('FORKING', 'WAITING', 'RUNNING', 'MEASURED');
