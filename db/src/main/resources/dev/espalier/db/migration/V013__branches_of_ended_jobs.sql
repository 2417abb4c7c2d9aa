-- A job that has ended has no living branch: the chain of the mainline is kept in its result, the rest is not.

update branch set state =
  case
    when job.state = 'FAILED' or job.reason = 'killed' then 'LOST'
    when branch.kind = 'MAINLINE' then 'KEPT'
    else 'DISCARDED'
  end
from job
where job.job_id = branch.job_id
  and job.state in ('COMPLETED', 'CANCELED', 'FAILED')
  and branch.state in ('FORKING', 'WAITING', 'RUNNING', 'MEASURED');
