package dev.espalier.bench.tuning;

import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.tuner.app.JobPlans;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// A policy with its options, as a job file would name it.
///
/// @param name in tables and files, such as `mltuner:gp`
/// @param policy of the job file
/// @param searcher of the job file; empty for the default
/// @param setting for a fixed setting; empty for a policy that tunes
/// @param options of the job file by dotted key, such as `tuning.maxTrials`
record Contender(
    String name,
    String policy,
    Optional<String> searcher,
    Optional<Setting> setting,
    Map<String, Object> options) {
  /// Decisions about a member of `pbt` in a whole run.
  private static final int MEMBER_INTERVALS = 10;

  /// Cui et al., section 5.1.1: 20 epochs where a run is short, re-tuning one before.
  private static final int SMALL_BENCHMARK_PLATEAU = 20;

  private static final int MOST_TRIALS = 10_000;

  static final String AS_PUBLISHED = "-as-published";

  Contender {
    options = Map.copyOf(options);
  }

  /// {@return a fixed setting, without tuning}
  static Contender fixed(String name, Setting setting) {
    return new Contender(name, "fixed", Optional.empty(), Optional.of(setting), Map.of());
  }

  /// {@return `racing` without its races: what is left is the fall of the rate at the end of laps}
  ///
  /// @param options beside that
  static Contender laps(Map<String, Object> options) {
    var all = new LinkedHashMap<String, Object>(options);
    all.put("tuning.racing.budget", 0);
    return new Contender("laps", PolicyName.RACING, Optional.empty(), Optional.empty(), all);
  }

  /// {@return whether it trains a population of runs}
  private boolean isPopulation() {
    return !PolicyName.WITH_MAINLINE.contains(policy);
  }

  /// {@return whether its first run trains with the default setting}
  private boolean isToldDefault() {
    return policy.equals(PolicyName.RACING)
        || (isPopulation() && !Boolean.FALSE.equals(options.get("tuning.runs.defaultFirst")));
  }

  /// {@return whether it is published by others, and given the time that it may need}
  boolean isRival() {
    return isPopulation() || policy.equals(PolicyName.MLTUNER);
  }

  /// {@return the policy that `text` names as `POLICY`, `POLICY:SEARCHER` or, for a population that
  /// is not told the default, `POLICY-as-published`}
  static Contender named(String text, Map<String, Object> options) {
    var all = new LinkedHashMap<String, Object>(options);
    String name = text;
    if (text.endsWith(AS_PUBLISHED)) {
      name = text.substring(0, text.length() - AS_PUBLISHED.length());
      all.put("tuning.runs.defaultFirst", false);
    }
    int colon = name.indexOf(':');
    return new Contender(
        text,
        colon < 0 ? name : name.substring(0, colon),
        colon < 0 ? Optional.empty() : Optional.of(name.substring(colon + 1)),
        Optional.empty(),
        all);
  }

  /// {@return the plan of the job that this policy gets}
  ///
  /// @param maxSeconds the job's bound on its time
  /// @throws IllegalArgumentException with every problem of the job file
  JobPlan plan(Workload workload, CostModel cost, long seed, double maxSeconds) {
    ProgramDescriptor program = workload.descriptor();
    var document = new LinkedHashMap<String, Object>();
    document.put("program", workload.program());
    workload.data().ifPresent(_ -> document.put("data", "data"));
    document.put("workers", workload.workers());
    document.put("seed", seed);
    put(document, "tuning.policy", policy);
    searcher.ifPresent(text -> put(document, "tuning.searcher", text));
    setting.ifPresent(fixed -> put(document, "tuning.setting", fixed.values()));
    put(document, "stop.maxEpochs", 0);
    put(document, "stop.maxTime", maxSeconds);
    put(document, "time.model.perClockSeconds", cost.perClockSeconds());
    put(document, "time.model.perSampleSeconds", cost.perSampleSeconds());
    fitted(workload).forEach((key, value) -> put(document, key, value));
    JobSpecReader.Result read =
        JobSpecReader.read(
            document,
            asked -> asked.equals(program.name()) ? Optional.of(program) : Optional.empty());
    JobSpec spec =
        read.spec()
            .orElseThrow(() ->
                new IllegalArgumentException(
                    name
                        + ": "
                        + read.problems().stream()
                            .map(Problem::toString)
                            .collect(Collectors.joining("; "))));
    return JobPlans.of(spec, program);
  }

  /// {@return its options, and beside them what its authors would set for a job of this length}
  Map<String, Object> fitted(Workload workload) {
    var all = new TreeMap<String, Object>();
    if (setting.isEmpty()) {
      Setting told = isToldDefault() ? workload.carefulSetting() : workload.space().defaults();
      workload.tunablesToTell(told).ifPresent(tunables -> all.put("tunables", tunables));
    }
    double epochs = workload.budgetEpochs();
    if (isPopulation()) {
      all.put("tuning.runs.maxEpochs", epochs);
      all.put("tuning.runs.intervalEpochs", epochs / MEMBER_INTERVALS);
    } else if (policy.equals(PolicyName.MLTUNER)) {
      // The search ends by its own rule alone.
      all.put("tuning.maxTrials", MOST_TRIALS);
      all.put("tuning.retune.plateauEpochs", SMALL_BENCHMARK_PLATEAU - 1);
      all.put("tuning.converge.plateauEpochs", SMALL_BENCHMARK_PLATEAU);
    }
    all.putAll(options);
    return all;
  }

  @SuppressWarnings("unchecked") // the inner maps are made here
  private static void put(Map<String, Object> document, String dottedKey, Object value) {
    Map<String, Object> at = document;
    String[] keys = dottedKey.split("\\.");
    for (int i = 0; i < keys.length - 1; i++) {
      at =
          (Map<String, Object>)
              at.computeIfAbsent(keys[i], _ -> new LinkedHashMap<String, Object>());
    }
    at.put(keys[keys.length - 1], value);
  }
}
