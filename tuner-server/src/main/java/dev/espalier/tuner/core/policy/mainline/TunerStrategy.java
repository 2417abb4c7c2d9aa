package dev.espalier.tuner.core.policy.mainline;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Workload;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;

/// The paper's policy: tune at the start, and again when training makes no further progress
/// (MLtuner, sections 3.3 and 4.4).
final class TunerStrategy implements Strategy {
  private final JobPlan plan;

  TunerStrategy(JobPlan plan) {
    this.plan = plan;
  }

  @Override
  public Setting firstSetting() {
    return plan.base().with(plan.space().defaults());
  }

  @Override
  public Setting settingAt(long mainlineClock, Setting current) {
    return current;
  }

  @Override
  public long nextChangeAfter(long mainlineClock) {
    return Long.MAX_VALUE;
  }

  @Override
  public List<Setting> extremeSettings() {
    return Workload.extremeSettings(plan.space(), firstSetting());
  }

  @Override
  public boolean isTuning() {
    return plan.space().dimensions() > 0;
  }

  @Override
  public Ruling afterEvaluation(History history, int retunes) {
    JobPlan.Options options = plan.options();
    if (history.isPlateau(options.convergePlateauEpochs())) {
      return new Ruling.End(Endings.converged(options.convergePlateauEpochs()));
    }
    boolean mayRetune = isTuning() && retunes < options.maxRetunes();
    return mayRetune && history.isPlateau(options.retunePlateauEpochs())
        ? new Ruling.Retune()
        : new Ruling.GoOn();
  }
}
