package dev.espalier.tuner.core.policy.mainline;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;

/// Trains with one setting, or with a schedule of settings by mainline clock; tunes nothing.
///
/// Without a bound on epochs or seconds it ends when the plateau rule says converged, so that it
/// ends at all.
final class FixedStrategy implements Strategy {
  private final JobPlan plan;

  FixedStrategy(JobPlan plan) {
    this.plan = plan;
  }

  @Override
  public Setting firstSetting() {
    return settingAt(0, Setting.EMPTY);
  }

  @Override
  public Setting settingAt(long mainlineClock, Setting current) {
    Setting setting = plan.space().defaults().with(plan.base());
    for (JobPlan.ScheduleStep step : plan.schedule()) {
      if (step.fromClock() <= mainlineClock) {
        setting = plan.space().defaults().with(plan.base()).with(step.setting());
      }
    }
    return setting;
  }

  @Override
  public Shape shapeAt(long mainlineClock) {
    return plan.schedule().stream()
        .filter(step -> step.fromClock() <= mainlineClock)
        .reduce((_, later) -> later)
        .map(JobPlan.ScheduleStep::shape)
        .orElse(Shape.CONSTANT);
  }

  @Override
  public long nextChangeAfter(long mainlineClock) {
    return plan.schedule().stream()
        .mapToLong(JobPlan.ScheduleStep::fromClock)
        .filter(clock -> clock > mainlineClock)
        .min()
        .orElse(Long.MAX_VALUE);
  }

  @Override
  public List<Setting> extremeSettings() {
    if (plan.schedule().isEmpty()) {
      return List.of(firstSetting());
    }
    return plan.schedule().stream()
        .map(step -> settingAt(step.fromClock(), Setting.EMPTY))
        .toList();
  }

  @Override
  public boolean isTuning() {
    return false;
  }

  @Override
  public Ruling afterEvaluation(History history, int retunes) {
    boolean isBounded = plan.maxEpochs() > 0 || plan.maxSeconds() > 0;
    int patience = plan.options().convergePlateauEpochs();
    return !isBounded && history.isPlateau(patience)
        ? new Ruling.End(Endings.converged(patience))
        : new Ruling.GoOn();
  }
}
