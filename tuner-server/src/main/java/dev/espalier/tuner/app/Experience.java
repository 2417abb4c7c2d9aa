package dev.espalier.tuner.app;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.JobStore.FinishedJob;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/*
 * What a job hands on is the setting it ran with after a quarter of the way to its result. Before that
 * many a job still trains with the default, for no race was affordable yet; towards the end rates are
 * calm, which is right for a model that is nearly done and wrong for one that begins.
 *
 * Jobs on the same data come first, the best of them first; then those on other data, the newest
 * first. A job whose result is no better than its first evaluation has learned nothing, so it teaches
 * nothing: a prior is only raced, and a bad one costs what any losing challenger costs, but a short
 * job affords few races. Of a job that was evaluated once, at its result, nothing of the kind is known.
 */
/// What finished jobs of a program found, for a new job of the program.
final class Experience {
  /// How many finished jobs are looked at.
  static final int LOOK_BACK = 50;

  private static final int MOST = 2;
  private static final long WAY = 4;

  private final JobSpec spec;
  private final SearchSpace space;
  private final Setting base;
  private final MetricSpec metric;
  private final String dataFingerprint;

  private Experience(JobSpec spec, ProgramDescriptor program, String dataFingerprint) {
    var offered = new SearchSpace(spec.tunables().isEmpty() ? program.tunables() : spec.tunables());
    this.spec = spec;
    this.space =
        new SearchSpace(
            offered.tunables().stream()
                .filter(tunable -> !spec.tuning().setting().values().containsKey(tunable.name()))
                .toList());
    this.base = spec.tuning().setting();
    this.metric = program.validation().getFirst();
    this.dataFingerprint = dataFingerprint;
  }

  /// {@return at most two settings to race, best first, and after them at most one that is of no
  /// use, so that its notes are told}
  ///
  /// @param dataFingerprint of the new job's data; empty for none
  /// @param finished jobs of the same program, newest first
  static List<Prior> of(
      JobSpec spec, ProgramDescriptor program, String dataFingerprint, List<FinishedJob> finished) {
    return new Experience(spec, program, dataFingerprint).priors(finished);
  }

  private List<Prior> priors(List<FinishedJob> finished) {
    List<Prior> ranked =
        finished.stream()
            .filter(job -> !job.path().isEmpty() && hasLearned(job))
            .map(this::prior)
            .filter(prior -> !isDefault(prior))
            .sorted(
                Comparator.comparing((Prior prior) -> !prior.sameData())
                    .thenComparing(this::compareOnSameData))
            .toList();
    var chosen = new ArrayList<Prior>();
    var seen = new HashSet<Setting>();
    for (Prior prior : ranked) {
      if (prior.hasSetting() && chosen.size() < MOST && seen.add(prior.setting())) {
        chosen.add(prior);
      }
    }
    ranked.stream().filter(prior -> !prior.hasSetting()).findFirst().ifPresent(chosen::add);
    return List.copyOf(chosen);
  }

  /// Values on other data say nothing of each other, so there the order stays.
  private int compareOnSameData(Prior one, Prior other) {
    if (!one.sameData() || !other.sameData()) {
      return 0;
    }
    if (one.value() == other.value()) {
      return 0;
    }
    return metric.goal().isBetter(one.value(), other.value()) ? -1 : 1;
  }

  private boolean hasLearned(FinishedJob job) {
    double before =
        job.evaluations() > 1 ? job.first().getOrDefault(metric.name(), Double.NaN) : Double.NaN;
    return Double.isNaN(before)
        ? !Double.isNaN(job.value())
        : metric.goal().isBetter(job.value(), before);
  }

  /// A job that found nothing better than the default has nothing to hand on.
  private boolean isDefault(Prior prior) {
    Setting defaults = space.defaults();
    return prior.hasSetting() && defaults.with(prior.setting()).equals(defaults);
  }

  private Prior prior(FinishedJob job) {
    var values = new TreeMap<String, Double>();
    var notes = new ArrayList<String>();
    for (Map.Entry<String, Double> entry : after(job).values().entrySet()) {
      String name = entry.getKey();
      double value = entry.getValue();
      var searched =
          space.tunables().stream().filter(tunable -> tunable.name().equals(name)).findFirst();
      if (searched.isPresent() && searched.get().contains(value)) {
        values.put(name, value);
      } else if (searched.isPresent()) {
        notes.add(name + " " + value + " is left out: it lies outside of what is searched here");
      } else if (base.valueOr(name, Double.NaN) != value) {
        notes.add(name + " " + value + " is left out: it is not searched here");
      }
    }
    return new Prior(
        job.job().id(),
        new Setting(values),
        metric.name(),
        job.value(),
        job.epoch(),
        isSameData(job),
        notes);
  }

  private boolean isSameData(FinishedJob job) {
    JobSpec other = job.job().spec();
    return job.job().dataFingerprint().equals(dataFingerprint)
        && other.data().isPresent() == spec.data().isPresent()
        && other.arguments().equals(spec.arguments());
  }

  /// The setting a quarter of the way to the result; the first that replaced the one it began with,
  /// where that came later.
  private static Setting after(FinishedJob job) {
    long clock = job.clock() / WAY;
    Setting first = job.path().getFirst().setting();
    Setting setting = first;
    for (JobSpec.ScheduleEntry step : job.path()) {
      if (step.fromClock() <= clock || setting.equals(first)) {
        setting = step.setting();
      }
    }
    return setting;
  }
}
