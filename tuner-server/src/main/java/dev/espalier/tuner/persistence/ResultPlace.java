package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.JobView;
import dev.espalier.tuner.core.session.SessionEffect;
import jakarta.persistence.Column;
import jakarta.persistence.Embeddable;

/// Which model is a job's result, as columns of its row.
///
/// @param value of the metric that judges the model; may be NaN
@Embeddable
record ResultPlace(
    @Column(name = "result_start") int start,
    @Column(name = "result_branch") int branch,
    @Column(name = "result_clock") long clock,
    @Column(name = "result_epoch") double epoch,
    @Column(name = "result_value") double value) {
  static ResultPlace of(SessionEffect.ResultChanged change) {
    return new ResultPlace(
        change.start(),
        change.branch().number(),
        change.mainlineClock(),
        change.epoch(),
        change.value());
  }

  JobView.Result view() {
    return new JobView.Result(start, branch, clock, epoch, Double.isFinite(value) ? value : null);
  }
}
