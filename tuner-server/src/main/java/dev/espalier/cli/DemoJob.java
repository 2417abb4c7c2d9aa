package dev.espalier.cli;

import dev.espalier.api.rest.JobDefaults;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The job that the demo runs: small enough to end in about a minute on two slow cores, or, on data
/// of the user's, large enough to reach a good model.
final class DemoJob {
  private DemoJob() {}

  /// {@return the document of a job file}
  static Map<String, Object> document(
      String program, Optional<String> data, int workers, long seed, Optional<String> maxTime) {
    var document = new LinkedHashMap<String, Object>();
    document.put("name", "demo-" + program);
    document.put("program", program);
    data.ifPresent(folder -> document.put("data", folder));
    document.put("workers", workers);
    document.put("seed", seed);
    document.put("tuning", Map.of("policy", JobDefaults.POLICY, "warmStart", false));
    boolean real = data.isPresent();
    switch (program) {
      case "mlp" -> perceptron(document, real);
      case "mf" -> measured(document, real, 30);
      case "logreg" -> measured(document, real, 20);
      default -> measured(document, real, 10);
    }
    maxTime.ifPresent(time -> {
      var stop = new LinkedHashMap<String, Object>();
      if (document.get("stop") instanceof Map<?, ?> given) {
        given.forEach((key, value) -> stop.put(String.valueOf(key), value));
      }
      stop.put("maxTime", time);
      document.put("stop", stop);
    });
    return document;
  }

  /*
   * Seconds come from a cost model (measured once on two cores for this
   * network), so that the schedule found does not depend on what else the machine does.
   */
  private static void perceptron(Map<String, Object> document, boolean real) {
    if (real) {
      document.put("arguments", Map.of("hidden", List.of(256), "weightDecay", 1e-4));
    }
    document.put("time", real ? costModel(0.0004, 1.4e-5) : costModel(0.0002, 7e-6));
    document.put("stop", Map.of("maxEpochs", real ? 40 : 22));
    document.put(
        "tunables",
        Map.of(
            "learningRate", Map.of("type", "log", "min", 1e-4, "max", 0.3, "default", 0.01),
            "momentum", Map.of("type", "linear", "min", 0.0, "max", 0.95, "default", 0.9),
            "batchSize",
                Map.of("type", "choice", "values", List.of(32, 64, 128, 256), "default", 64)));
  }

  private static void measured(Map<String, Object> document, boolean real, int epochs) {
    document.put("stop", real ? stop(2 * epochs, "5m") : stop(epochs, "70s"));
  }

  private static Map<String, Object> stop(int maxEpochs, String maxTime) {
    return Map.of("maxEpochs", maxEpochs, "maxTime", maxTime);
  }

  private static Map<String, Object> costModel(double perClockSeconds, double perSampleSeconds) {
    return Map.of(
        "model", Map.of("perClockSeconds", perClockSeconds, "perSampleSeconds", perSampleSeconds));
  }
}
