-- Entrants of a race are judged by their loss on samples that nothing trains on.
alter table branch add column held_out_loss double precision;
comment on column branch.held_out_loss is 'Mean loss on the held-out samples when the branch was last probed; null before.';
