package dev.espalier.tuner.persistence;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.rest.RoundView;
import dev.espalier.tuner.core.session.SessionEffect;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import org.jspecify.annotations.Nullable;

/// The row of a round.
@Entity
@Table(name = "round")
@IdClass(RowKey.class)
class RoundEntity {
  @Id
  @Column(name = "job_id")
  String jobId;

  @Id
  @Column(name = "number")
  int number;

  @Enumerated(EnumType.STRING)
  @Column(name = "trigger")
  RoundTrigger trigger;

  @Column(name = "phase")
  String phase;

  @Column(name = "parent_branch")
  int parent;

  @Column(name = "trial_count")
  int trials;

  @Column(name = "max_trial_count")
  int maxTrials;

  @Column(name = "trial_seconds")
  double trialSeconds;

  @Column(name = "winner_branch")
  @Nullable Integer winner;

  @Column(name = "outcome")
  String outcome;

  /// For JPA only.
  @SuppressWarnings("NullAway.Init")
  protected RoundEntity() {}

  RoundEntity(String jobId, SessionEffect.RoundChanged change) {
    this.jobId = jobId;
    number = change.number();
    trigger = change.trigger();
    phase = change.phase();
    outcome = change.outcome();
    change(change);
  }

  final void change(SessionEffect.RoundChanged change) {
    trigger = change.trigger();
    phase = change.phase();
    parent = change.parent().number();
    trials = change.trials();
    maxTrials = change.maxTrials();
    trialSeconds = change.trialSeconds();
    winner = change.winner().map(BranchId::number).orElse(null);
    outcome = change.outcome();
  }

  RoundView view() {
    return new RoundView(
        number, trigger, phase, parent, trials, maxTrials, trialSeconds, winner, outcome);
  }
}
