package dev.espalier.api.rest;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Writes a job in the form of a job file, with every default spelled out that has an effect.
final class JobSpecWriter {
  private JobSpecWriter() {}

  /// {@return a sentence for each key that says other than its default and has no effect with the
  /// policy}
  static List<String> withoutEffect(JobSpec.Tuning tuning) {
    return TuningKeys.withoutEffect(tuning(tuning), unnamed(tuning));
  }

  /// One default follows from another key.
  private static Map<String, Object> unnamed(JobSpec.Tuning tuning) {
    Map<String, Object> unnamed = tuning(JobSpecReader.unnamed(tuning.policy()));
    unnamed.put(
        "converge", converge(JobDefaults.convergePlateauEpochs(tuning.retunePlateauEpochs())));
    return unnamed;
  }

  private static Map<String, Object> converge(int plateauEpochs) {
    return Map.of("plateauEpochs", plateauEpochs);
  }

  static Map<String, Object> write(JobSpec spec) {
    var document = new LinkedHashMap<String, Object>();
    document.put("name", spec.name());
    document.put("program", spec.program());
    spec.data().ifPresent(data -> document.put("data", data));
    if (!spec.arguments().isEmpty()) {
      document.put("arguments", new TreeMap<>(spec.arguments()));
    }
    document.put("workers", spec.workers());
    document.put("launch", spec.launch().name().toLowerCase(Locale.ROOT));
    document.put("seed", spec.seed());
    if (!spec.tunables().isEmpty()) {
      var tunables = new LinkedHashMap<String, Object>();
      for (Tunable tunable : spec.tunables()) {
        tunables.put(tunable.name(), TunableReader.toDocument(tunable));
      }
      document.put("tunables", tunables);
    }
    document.put("tuning", TuningKeys.withEffect(tuning(spec.tuning()), unnamed(spec.tuning())));
    document.put("stop", stop(spec.stop()));
    document.put("checkpoints", Map.of("keep", spec.checkpoints().keep()));
    document.put(
        "limits", Map.of("clockTimeout", TimeText.of(spec.limits().clockTimeoutSeconds())));
    spec.time()
        .ifPresent(model -> {
          var figures = new LinkedHashMap<String, Object>();
          figures.put("perClockSeconds", plain(model.perClockSeconds()));
          figures.put("perSampleSeconds", plain(model.perSampleSeconds()));
          document.put("time", Map.of("model", figures));
        });
    document.put("communication", communication(spec.communication()));
    document.put("gpuMemory", SizeText.of(spec.gpuMemoryBytes()));
    return document;
  }

  private static Map<String, Object> communication(Communication communication) {
    var document = new LinkedHashMap<String, Object>();
    document.put("transport", communication.transport());
    document.put("updates", communication.updates());
    document.put("significance", plain(communication.significance()));
    document.put("pushEvery", communication.pushEvery());
    document.put("fetchEvery", communication.fetchEvery());
    document.put("sufficientFactors", communication.sufficientFactors());
    document.put("keyCaching", communication.keyCaching());
    return document;
  }

  private static Map<String, Object> tuning(JobSpec.Tuning tuning) {
    var document = new LinkedHashMap<String, Object>();
    document.put("policy", tuning.policy());
    document.put("searcher", tuning.searcher());
    if (!tuning.setting().values().isEmpty()) {
      document.put("setting", setting(tuning.setting()));
    }
    if (!tuning.schedule().isEmpty()) {
      document.put(
          "schedule", tuning.schedule().stream().map(JobSpecWriter::scheduleEntry).toList());
    }
    document.put("windows", tuning.windows());
    document.put("startingLoss", tuning.startingLoss());
    document.put("probeClocks", tuning.probeClocks());
    document.put("divergenceFactor", plain(tuning.divergenceFactor()));
    document.put(
        "trialTime", tuning.trialSeconds() == 0 ? "auto" : TimeText.of(tuning.trialSeconds()));
    document.put("maxTrials", tuning.maxTrials());
    document.put("stop", pair("best", tuning.stopBest(), "within", plain(tuning.stopWithin())));
    document.put(
        "retune", pair("plateauEpochs", tuning.retunePlateauEpochs(), "max", tuning.maxRetunes()));
    document.put("converge", converge(tuning.convergePlateauEpochs()));
    document.put("runs", runs(tuning.runs()));
    document.put("racing", racing(tuning.racing()));
    document.put("warmStart", tuning.warmStart());
    document.put("holdOut", tuning.holdOut());
    return document;
  }

  private static Map<String, Object> runs(JobSpec.Runs runs) {
    var document = new LinkedHashMap<String, Object>();
    document.put("max", runs.max());
    document.put("maxEpochs", plain(runs.maxEpochs()));
    document.put("minEpochs", plain(runs.minEpochs()));
    document.put("eta", runs.eta());
    document.put("gridPoints", runs.gridPoints());
    document.put("population", runs.population());
    document.put("intervalEpochs", plain(runs.intervalEpochs()));
    document.put("truncation", plain(runs.truncation()));
    document.put("resample", plain(runs.resample()));
    document.put("perturbation", plain(runs.perturbation()));
    document.put("defaultFirst", runs.defaultFirst());
    return document;
  }

  private static Map<String, Object> racing(RacingOptions racing) {
    var document = new LinkedHashMap<String, Object>();
    document.put("budget", plain(racing.budget()));
    document.put("confidence", plain(racing.confidence()));
    document.put("probe", racing.probe().word());
    document.put("probeSamples", racing.probeSamples());
    document.put("probeShare", plain(racing.probeShare()));
    document.put("challengers", racing.challengers());
    document.put("rateStep", plain(racing.rateStep()));
    document.put("leastRateStep", plain(racing.leastRateStep()));
    document.put("trialClocks", racing.trialClocks());
    document.put("trialShare", plain(racing.trialShare()));
    document.put("lapGrowth", plain(racing.lapGrowth()));
    document.put("cooldown", plain(racing.cooldown()));
    document.put("evaluationShare", plain(racing.evaluationShare()));
    document.put("patience", plain(racing.patience()));
    document.put("spike", plain(racing.spike()));
    document.put("overfit", plain(racing.overfit()));
    document.put("restarts", racing.restarts());
    document.put("restartShare", plain(racing.restartShare()));
    return document;
  }

  private static Map<String, Object> scheduleEntry(JobSpec.ScheduleEntry entry) {
    Map<String, Object> document =
        pair("fromClock", entry.fromClock(), "setting", setting(entry.setting()));
    entry
        .cooldown()
        .ifPresent(fall ->
            document.put(
                "cooldown", pair("fromClock", fall.fromClock(), "untilClock", fall.untilClock())));
    return document;
  }

  private static Map<String, Object> stop(JobSpec.Stop stop) {
    var document = new LinkedHashMap<String, Object>();
    document.put("maxEpochs", plain(stop.maxEpochs()));
    document.put("maxTime", TimeText.of(stop.maxSeconds()));
    if (!Double.isNaN(stop.target())) {
      document.put("target", plain(stop.target()));
    }
    return document;
  }

  private static Map<String, Object> setting(Setting setting) {
    var document = new LinkedHashMap<String, Object>();
    setting.values().forEach((name, value) -> document.put(name, plain(value)));
    return document;
  }

  private static Map<String, Object> pair(String a, Object first, String b, Object second) {
    var document = new LinkedHashMap<String, Object>();
    document.put(a, first);
    document.put(b, second);
    return document;
  }

  /// {@return a whole number as one, so that 64 is not written 64.0}
  static Number plain(double value) {
    boolean whole = value == Math.rint(value) && Math.abs(value) < 1e15;
    return whole ? (Number) (long) value : (Number) value;
  }
}
