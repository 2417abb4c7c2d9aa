package dev.espalier.api.rest;

import dev.espalier.api.model.PolicyName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// With which policies a key below `tuning` has an effect; `docs/JOB_FILE.md` says the same.
///
/// Keys are paths below `tuning`, such as `runs.eta`. One that is not here has an effect with all
/// policies, or is refused where it has none.
final class TuningKeys {
  private static final List<String> MLTUNER = List.of(PolicyName.MLTUNER);
  private static final List<String> RACING = List.of(PolicyName.RACING);
  private static final List<String> RACING_AND_FIXED = List.of(PolicyName.RACING, PolicyName.FIXED);
  private static final List<String> POPULATIONS =
      PolicyName.ALL.stream().filter(name -> !PolicyName.WITH_MAINLINE.contains(name)).toList();
  private static final List<String> HALVING = List.of(PolicyName.HYPERBAND, PolicyName.ASHA);
  private static final List<String> PBT = List.of(PolicyName.PBT);

  private static final Map<String, List<String>> POLICIES =
      Map.ofEntries(
          Map.entry("searcher", MLTUNER),
          Map.entry("windows", MLTUNER),
          Map.entry("startingLoss", MLTUNER),
          Map.entry("probeClocks", MLTUNER),
          Map.entry("divergenceFactor", MLTUNER),
          Map.entry("trialTime", MLTUNER),
          Map.entry("maxTrials", MLTUNER),
          Map.entry("stop.best", MLTUNER),
          Map.entry("stop.within", MLTUNER),
          Map.entry("retune.plateauEpochs", MLTUNER),
          Map.entry("retune.max", MLTUNER),
          Map.entry(
              "converge.plateauEpochs",
              List.of(
                  PolicyName.MLTUNER,
                  PolicyName.RANDOM,
                  PolicyName.GRID,
                  PolicyName.BAYES,
                  PolicyName.FIXED)),
          Map.entry(
              "runs.max",
              POPULATIONS.stream().filter(name -> !name.equals(PolicyName.PBT)).toList()),
          Map.entry("runs.maxEpochs", POPULATIONS),
          Map.entry("runs.minEpochs", HALVING),
          Map.entry("runs.eta", HALVING),
          Map.entry("runs.gridPoints", List.of(PolicyName.GRID)),
          Map.entry("runs.population", PBT),
          Map.entry("runs.intervalEpochs", PBT),
          Map.entry("runs.truncation", PBT),
          Map.entry("runs.resample", PBT),
          Map.entry("runs.perturbation", PBT),
          Map.entry("runs.defaultFirst", POPULATIONS),
          Map.entry("racing.probe", RACING_AND_FIXED),
          Map.entry("racing.probeSamples", RACING_AND_FIXED),
          Map.entry("racing.probeShare", RACING_AND_FIXED),
          Map.entry("warmStart", RACING),
          Map.entry("holdOut", List.of(PolicyName.FIXED)));

  private TuningKeys() {}

  /// {@return the policies with which `key` has an effect}
  static List<String> policies(String key) {
    return POLICIES.getOrDefault(key, key.startsWith("racing.") ? RACING : PolicyName.ALL);
  }

  /// {@return `document` without the keys that have no effect and are as they would be unnamed; a
  /// mapping of which nothing is left is left out}
  ///
  /// @param document all keys below `tuning`
  /// @param unnamed the same keys for a job file that names the policy alone
  static Map<String, Object> withEffect(Map<String, Object> document, Map<String, Object> unnamed) {
    return pruned("", document, unnamed, String.valueOf(document.get("policy")));
  }

  private static Map<String, Object> pruned(
      String prefix, Map<?, ?> document, Map<?, ?> unnamed, String policy) {
    var kept = new LinkedHashMap<String, Object>();
    document.forEach((name, value) -> {
      String key = prefix + name;
      if (value instanceof Map<?, ?> below && unnamed.get(name) instanceof Map<?, ?> other) {
        Map<String, Object> left = pruned(key + ".", below, other, policy);
        if (!left.isEmpty()) {
          kept.put(String.valueOf(name), left);
        }
      } else if (policies(key).contains(policy) || !value.equals(unnamed.get(name))) {
        kept.put(String.valueOf(name), value);
      }
    });
    return kept;
  }

  /// {@return a sentence for each key without effect that is not as it would be unnamed}
  ///
  /// @param document all keys below `tuning`
  /// @param unnamed the same keys for a job file that names the policy alone
  static List<String> withoutEffect(Map<String, Object> document, Map<String, Object> unnamed) {
    String policy = String.valueOf(document.get("policy"));
    var sentences = new ArrayList<String>();
    changed("", document, unnamed).stream()
        .filter(key -> !policies(key).contains(policy))
        .forEach(key ->
            sentences.add(
                "tuning."
                    + key
                    + " has no effect with the policy "
                    + policy
                    + ", only with "
                    + inWords(policies(key))));
    return sentences;
  }

  private static List<String> changed(String prefix, Map<?, ?> document, Map<?, ?> unnamed) {
    var keys = new ArrayList<String>();
    document.forEach((name, value) -> {
      if (value instanceof Map<?, ?> below && unnamed.get(name) instanceof Map<?, ?> other) {
        keys.addAll(changed(prefix + name + ".", below, other));
      } else if (!value.equals(unnamed.get(name))) {
        keys.add(prefix + name);
      }
    });
    return keys;
  }

  private static String inWords(List<String> policies) {
    return policies.size() == 1
        ? policies.getFirst()
        : String.join(", ", policies.subList(0, policies.size() - 1))
            + " and "
            + policies.getLast();
  }
}
