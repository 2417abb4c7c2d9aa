package dev.espalier.tuner.core.session;

import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.TimeModel;
import java.util.List;
import java.util.Optional;

/// What a session knows of its job before the first event.
///
/// @param space the tunables that are searched
/// @param base values of tunables that are not searched, put under every setting
/// @param schedule for a fixed schedule: setting by mainline clock, ascending, first at 0
/// @param validation the metric that judges the model
/// @param options of the policy
/// @param maxEpochs 0 for no bound
/// @param maxSeconds 0 for no bound
/// @param target NaN for none
/// @param keepCheckpoints durable checkpoints to keep, >= 1
public record JobPlan(
    String policy,
    String searcher,
    SearchSpace space,
    Setting base,
    List<ScheduleStep> schedule,
    MetricSpec validation,
    int workers,
    long seed,
    Options options,
    double maxEpochs,
    double maxSeconds,
    double target,
    int keepCheckpoints,
    Optional<TimeModel> time) {
  public JobPlan {
    schedule = List.copyOf(schedule);
  }

  /// {@return the training samples that workers keep back to judge branches by}
  public HeldOut heldOut() {
    return HeldOut.NOTHING;
  }

  /// One step of a fixed schedule.
  public record ScheduleStep(long fromClock, Setting setting) {}

  /// Constants of the `mltuner` policy; see `JobSpec.Tuning` for units and bounds.
  public record Options(
      int windows,
      boolean startingLoss,
      int probeClocks,
      double divergenceFactor,
      double trialSeconds,
      int maxTrials,
      int stopBest,
      double stopWithin,
      int retunePlateauEpochs,
      int convergePlateauEpochs,
      int maxRetunes) {}
}
