package dev.espalier.tuner.persistence;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Verdict;
import dev.espalier.api.rest.BranchView;
import dev.espalier.tuner.core.progress.ProgressSummary;
import dev.espalier.tuner.core.session.SessionEffect;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/// The row of a branch.
@Entity
@Table(name = "branch")
@IdClass(RowKey.class)
class BranchEntity {
  @Id
  @Column(name = "job_id")
  String jobId;

  @Id
  @Column(name = "number")
  int number;

  @Column(name = "parent_branch")
  @Nullable Integer parent;

  @Enumerated(EnumType.STRING)
  @Column(name = "kind")
  BranchKind kind;

  @Column(name = "round")
  int round;

  @Column(name = "setting")
  @ColumnTransformer(write = "?::json")
  String setting;

  @Enumerated(EnumType.STRING)
  @Column(name = "state")
  BranchState state;

  @Column(name = "start_number")
  int start;

  @Column(name = "fork_clock")
  long forkClock;

  @Column(name = "clock_count")
  long clocks;

  @Column(name = "run_seconds")
  double seconds;

  @Enumerated(EnumType.STRING)
  @Column(name = "verdict")
  @Nullable Verdict verdict;

  @Column(name = "speed")
  @Nullable Double speed;

  @Column(name = "slope")
  @Nullable Double slope;

  @Column(name = "noise")
  @Nullable Double noise;

  @Column(name = "loss_range")
  @Nullable Double lossRange;

  @Column(name = "judged_seconds")
  @Nullable Double judgedSeconds;

  @Column(name = "held_out_loss")
  @Nullable Double heldOutLoss;

  @Column(name = "held_out_metric")
  @Nullable String heldOutMetric;

  @Column(name = "validation_metric")
  @Nullable String validationMetric;

  @Enumerated(EnumType.STRING)
  @Column(name = "validation_goal")
  @Nullable Goal validationGoal;

  @Column(name = "best_validation")
  @Nullable Double bestValidation;

  @Column(name = "best_validation_epoch")
  @Nullable Double bestValidationEpoch;

  @Column(name = "window_means")
  double[] windowMeans = {};

  @Column(name = "window_seconds")
  double[] windowSeconds = {};

  /// For JPA only.
  @SuppressWarnings("NullAway.Init")
  protected BranchEntity() {}

  BranchEntity(String jobId, SessionEffect.BranchChanged change, DocumentCodec codec) {
    this.jobId = jobId;
    number = change.branch().number();
    kind = change.kind();
    state = change.state();
    setting = codec.writeNumbers(change.setting().values());
    change(change, codec);
  }

  final void change(SessionEffect.BranchChanged change, DocumentCodec codec) {
    parent = change.parent().map(BranchId::number).orElse(null);
    kind = change.kind();
    round = change.round();
    setting = codec.writeNumbers(change.setting().values());
    state = change.state();
    start = change.start().number();
    forkClock = change.forkClock();
    clocks = change.clocks();
    seconds = change.seconds();
    change.summary().ifPresent(this::judge);
    heldOutLoss = finite(change.heldOutLoss());
    heldOutMetric = change.heldOutMetric().orElse(null);
    change.validation().ifPresent(this::validate);
  }

  /// Nothing lives on of a job that has ended: the mainline's chain, which a policy leaves behind
  /// to go back to, is part of the result, and what was tried beside it is not.
  ///
  /// @param lost whether the job's workers ended before they had said what became of it
  final void end(boolean lost) {
    state =
        lost
            ? BranchState.LOST
            : kind == BranchKind.MAINLINE ? BranchState.KEPT : BranchState.DISCARDED;
  }

  private void judge(ProgressSummary summary) {
    verdict = summary.verdict();
    speed = summary.speed();
    slope = summary.slope();
    noise = summary.noise();
    lossRange = summary.range();
    judgedSeconds = summary.seconds();
    windowMeans = summary.windowMeans().stream().mapToDouble(Double::doubleValue).toArray();
    windowSeconds = summary.windowSeconds().stream().mapToDouble(Double::doubleValue).toArray();
  }

  private void validate(SessionEffect.BestValidation best) {
    validationMetric = best.metric();
    validationGoal = best.goal();
    bestValidation = best.value();
    bestValidationEpoch = best.epoch();
  }

  BranchView view(DocumentCodec codec) {
    var means = new ArrayList<@Nullable Double>(windowMeans.length);
    for (double mean : windowMeans) {
      means.add(Double.isFinite(mean) ? mean : null);
    }
    var times = new ArrayList<Double>(windowSeconds.length);
    for (double time : windowSeconds) {
      times.add(time);
    }
    return new BranchView(
        number,
        parent,
        kind,
        round,
        codec.readNumbers(setting),
        state,
        start,
        forkClock,
        clocks,
        seconds,
        verdict,
        finite(speed),
        finite(slope),
        finite(noise),
        Collections.unmodifiableList(means),
        List.copyOf(times),
        heldOutLoss,
        heldOutMetric,
        validation());
  }

  private BranchView.@Nullable Validation validation() {
    return validationMetric == null
        ? null
        : new BranchView.Validation(
            validationMetric,
            requireNonNull(validationGoal),
            requireNonNull(bestValidation),
            requireNonNull(bestValidationEpoch));
  }

  private static @Nullable Double finite(@Nullable Double value) {
    return value == null || !Double.isFinite(value) ? null : value;
  }
}
