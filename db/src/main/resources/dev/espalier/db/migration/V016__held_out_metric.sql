-- What judges a race is a loss, or where a program measures none a metric's negative.

alter table branch add column held_out_metric text;
comment on column branch.held_out_metric is 'Metric whose negative held_out_loss is; null where it is a loss, or was not measured.';
