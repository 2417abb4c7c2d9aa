-- How good each run of a population was: every evaluation is kept with its branch, and the best of a branch with that.

alter table evaluation
  add column branch integer,
  add column leads boolean not null default true;
comment on table evaluation is 'Validation results of the mainline, or of all runs of a population.';
comment on column evaluation.branch is 'The branch that was evaluated; null where it was not written down.';
comment on column evaluation.leads is 'Whether it is of the mainline, or of a population the best so far.';
comment on column evaluation.start_number is 'The start that the branch belongs to, from 1.';
comment on column evaluation.mainline_clock is 'Clocks of the branch and its ancestors when it was evaluated.';

-- Only results of the mainline, or that led, were kept; the log says of which branch. Probes have no metrics.
update evaluation set branch = made.branch
from (
  select job_id, (event ->> 'atSeconds')::double precision as at_seconds,
    min((event ->> 'branch')::integer) as branch
  from session_event
  where event ->> 'type' = 'evaluated' and event ->> 'metrics' <> '{}'
  group by job_id, (event ->> 'atSeconds')::double precision
  having count(distinct event ->> 'branch') = 1
) as made
where made.job_id = evaluation.job_id and made.at_seconds = evaluation.at_seconds;

alter table branch
  add column validation_metric text,
  add column validation_goal text,
  add column best_validation double precision,
  add column best_validation_epoch double precision,
  add check (num_nulls(validation_metric, validation_goal, best_validation, best_validation_epoch)
    in (0, 4));
comment on column branch.validation_metric is 'Metric that judges the model; null before the branch was evaluated, and where that was not written down.';
comment on column branch.validation_goal is 'MINIMIZE or MAXIMIZE: which values of it are better.';
comment on column branch.best_validation is 'Best value of it that the branch had; never NaN.';
comment on column branch.best_validation_epoch is 'Passes over the training data at which it had it first.';
