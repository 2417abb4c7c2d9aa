package dev.espalier.bench.tuning;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the command line asks for.
///
/// @param workloads by name; empty for all
/// @param policies by name, `POLICY` or `POLICY:SEARCHER`
/// @param data root of the data folders, or the data of a single workload
/// @param file more workloads, from a user's file
/// @param budgetScale times the full budget
/// @param jobs simulations that run at once
/// @param isResume whether runs that the file has are taken as they are
/// @param isReport whether nothing else is run
/// @param options of the job file by dotted key, for all policies that tune
/// @param out folder of the report
/// @param markdown document that gets the tables
/// @param runs file that keeps every run
record TuningOptions(
    List<String> workloads,
    List<String> policies,
    int seeds,
    Optional<Path> data,
    Optional<Path> file,
    double budgetScale,
    int jobs,
    boolean isWallClock,
    boolean isCalibration,
    boolean isReferences,
    boolean isList,
    boolean isResume,
    boolean isReport,
    Map<String, Object> options,
    Optional<Path> out,
    Optional<Path> markdown,
    Path references,
    Path runs) {
  static final String USAGE =
      """
      Usage: espalier bench tuning [OPTION]...

      Runs tuning policies against each other on the same workloads, in simulated time under a cost
      model, and prints one table. Same seed, same result.

        --workload A,B      workloads by name (all of them)
        --policy P,Q        policies, POLICY or POLICY:SEARCHER, or default, oracle or laps;
                            POLICY-as-published where a population is not told the default
                            (default and every policy that tunes)
        --seeds N           seeds 1 to N of each policy (5)
        --data DIR          folder with the data folders of the workloads, or the data folder of a
                            single workload; without it the data are generated
        --workloads FILE    YAML file with more workloads, in the form of workloads.yaml
        --budget-scale X    times the full budget (1)
        --jobs N            runs at once, one thread each (1)
        --set KEY=VALUE     option of the job file, such as tuning.maxTrials=12; may repeat
        --wall              seconds of the wall clock instead of the cost model, for quiet machines;
                            a warm-up is part of them, so scale the budget up
        --calibrate         only measures the cost model of the workloads, anew
        --compute-references  only computes what is missing of the references
        --references DIR    where references are kept (the benchmark's own resources)
        --runs FILE         keeps every run (target/tuning-runs.jsonl)
        --resume            takes the runs of that file as they are, and runs what is missing
        --report            runs nothing, and reports what that file has
        --out DIR           also writes tuning.json and a picture for each workload
        --markdown FILE     also puts the tables between the markers of a document
        --list              lists workloads and ends
      """;

  /// {@return the command that gives the same figures, without what belongs to one machine}
  String command() {
    var words = new ArrayList<String>(List.of("./espalier bench tuning"));
    if (!workloads.isEmpty()) {
      words.add("--workload " + String.join(",", workloads));
    }
    if (!policies.isEmpty()) {
      words.add("--policy " + String.join(",", policies));
    }
    words.add("--seeds " + seeds);
    data.ifPresent(_ -> words.add("--data DIR"));
    file.ifPresent(_ -> words.add("--workloads FILE"));
    if (budgetScale != 1) {
      words.add("--budget-scale " + budgetScale);
    }
    options.forEach((key, value) -> words.add("--set " + key + "=" + value));
    if (isWallClock) {
      words.add("--wall");
    }
    return String.join(" ", words);
  }

  /// @param home the project's folder
  /// @throws IllegalArgumentException that says what is wrong with the arguments
  static TuningOptions parse(List<String> arguments, Path home) {
    var values = new LinkedHashMap<String, String>();
    var flags = new ArrayList<String>();
    var options = new LinkedHashMap<String, Object>();
    Iterator<String> rest = arguments.iterator();
    while (rest.hasNext()) {
      String option = rest.next();
      switch (option) {
        case "--wall", "--calibrate", "--compute-references", "--resume", "--report", "--list" ->
            flags.add(option);
        case "--set" -> {
          String[] pair = value(option, rest).split("=", 2);
          if (pair.length < 2) {
            throw new IllegalArgumentException("--set needs KEY=VALUE but is " + pair[0]);
          }
          options.put(pair[0], parsed(pair[1]));
        }
        case "--workload",
            "--policy",
            "--seeds",
            "--data",
            "--workloads",
            "--budget-scale",
            "--jobs",
            "--references",
            "--runs",
            "--markdown",
            "--out" ->
            values.put(option, value(option, rest));
        default -> throw new IllegalArgumentException("there is no option " + option);
      }
    }
    double scale = number(values, "--budget-scale", 1);
    if (!(scale > 0)) {
      throw new IllegalArgumentException("--budget-scale must be > 0 but is " + scale);
    }
    return new TuningOptions(
        list(values, "--workload"),
        list(values, "--policy"),
        whole(values, "--seeds", 5),
        path(values, "--data"),
        path(values, "--workloads"),
        scale,
        whole(values, "--jobs", 1),
        flags.contains("--wall"),
        flags.contains("--calibrate"),
        flags.contains("--compute-references"),
        flags.contains("--list"),
        flags.contains("--resume") || flags.contains("--report"),
        flags.contains("--report"),
        options,
        path(values, "--out"),
        path(values, "--markdown"),
        path(values, "--references")
            .orElse(home.resolve("bench/src/main/resources/dev/espalier/bench/tuning/references")),
        path(values, "--runs").orElse(home.resolve("target/tuning-runs.jsonl")));
  }

  private static String value(String option, Iterator<String> rest) {
    if (!rest.hasNext()) {
      throw new IllegalArgumentException(option + " needs a value");
    }
    return rest.next();
  }

  /// {@return a number or a truth value where the text is one}
  private static Object parsed(String text) {
    if (text.equals("true") || text.equals("false")) {
      return Boolean.valueOf(text);
    }
    try {
      return text.matches("-?\\d+") ? (Object) Long.valueOf(text) : Double.valueOf(text);
    } catch (NumberFormatException _) {
      return text;
    }
  }

  private static List<String> list(Map<String, String> values, String option) {
    String text = values.getOrDefault(option, "");
    return Arrays.stream(text.split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
  }

  private static Optional<Path> path(Map<String, String> values, String option) {
    return Optional.ofNullable(values.get(option)).map(Path::of);
  }

  private static double number(Map<String, String> values, String option, double otherwise) {
    String text = values.get(option);
    try {
      return text == null ? otherwise : Double.parseDouble(text);
    } catch (NumberFormatException _) {
      throw new IllegalArgumentException(option + " must be a number but is " + text);
    }
  }

  private static int whole(Map<String, String> values, String option, int otherwise) {
    double value = number(values, option, otherwise);
    if (value != Math.rint(value) || value < 1 || value > 1000) {
      throw new IllegalArgumentException(
          option + " must be a whole number in [1, 1000] but is " + values.get(option));
    }
    return (int) value;
  }
}
