package dev.espalier.api.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.Tunable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class JobSpecReaderTest {
  private static final ProgramDescriptor MLP =
      new ProgramDescriptor(
          "mlp",
          "Multi-layer perceptron.",
          false,
          List.of(
              new Argument(
                  "hidden",
                  "Sizes of hidden layers.",
                  Argument.Type.INTEGER_LIST,
                  "128",
                  1.0,
                  4096.0,
                  List.of()),
              new Argument(
                  "optimizer",
                  "Update rule.",
                  Argument.Type.CHOICE,
                  "momentum",
                  null,
                  null,
                  List.of("momentum", "nesterov", "adam")),
              new Argument(
                  "weightDecay", "L2 penalty.", Argument.Type.DECIMAL, "0", 0.0, 1.0, List.of()),
              new Argument(
                  "samples",
                  "Generated samples.",
                  Argument.Type.INTEGER,
                  "20000",
                  100.0,
                  1e6,
                  List.of()),
              new Argument(
                  "file", "Name of a file.", Argument.Type.TEXT, "", null, null, List.of())),
          List.of(
              new Tunable.LogRange("learningRate", 1e-5, 1, 0.01),
              new Tunable.LinearRange("momentum", 0, 0.99, 0.9),
              new Tunable.Choice("batchSize", List.of(16.0, 32.0, 64.0, 128.0), 64),
              new Tunable.Choice("staleness", List.of(0.0, 1.0, 3.0, 7.0), 0)),
          List.of(new MetricSpec("accuracy", Goal.MAXIMIZE, MetricSpec.Aggregate.MEAN)));

  private static final ProgramDescriptor MF =
      new ProgramDescriptor(
          "mf",
          "Matrix factorization.",
          true,
          List.of(),
          List.of(new Tunable.LogRange("learningRate", 1e-5, 1, 0.01)),
          List.of(new MetricSpec("rmse", Goal.MINIMIZE, MetricSpec.Aggregate.ROOT_MEAN_SQUARE)));

  private static final ProgramDescriptor BOUNDLESS =
      new ProgramDescriptor(
          "boundless",
          "Numbers without bounds.",
          false,
          List.of(
              new Argument("count", "", Argument.Type.INTEGER, "1", null, null, List.of()),
              new Argument("sizes", "", Argument.Type.INTEGER_LIST, "", null, null, List.of()),
              new Argument("weight", "", Argument.Type.DECIMAL, "0", null, null, List.of())),
          List.of(new Tunable.LogRange("learningRate", 1e-5, 1, 0.01)),
          List.of(MetricSpec.minimize("loss")));

  private static JobSpecReader.Result read(Map<String, Object> document) {
    return JobSpecReader.read(
        document,
        name ->
            switch (name) {
              case "mlp" -> Optional.of(MLP);
              case "mf" -> Optional.of(MF);
              case "boundless" -> Optional.of(BOUNDLESS);
              default -> Optional.empty();
            });
  }

  private static JobSpec spec(Map<String, Object> document) {
    JobSpecReader.Result result = read(document);
    assertThat(result.problems()).isEmpty();
    return result.spec().orElseThrow();
  }

  @Test
  void wholeArgumentsMustFitAnInt() {
    var document = with("program", "boundless");
    document.put("arguments", Map.of("count", 3_000_000_000L, "weight", 3e9));
    assertThat(onlyProblem(document).message())
        .isEqualTo("count must be <= 2147483647 but is 3000000000");
    document.put("arguments", Map.of("sizes", List.of(1, -3_000_000_000L)));
    assertThat(onlyProblem(document).message())
        .isEqualTo("sizes must be >= -2147483648 but is -3000000000");
  }

  private static Map<String, Object> with(String key, Object value) {
    var document = new LinkedHashMap<String, Object>();
    document.put("program", "mlp");
    document.put(key, value);
    return document;
  }

  private static Problem onlyProblem(Map<String, Object> document) {
    List<Problem> problems = read(document).problems();
    assertThat(problems).hasSize(1);
    return problems.getFirst();
  }

  @Test
  void seedsAreThoseThatEveryReaderOfJsonKeeps() {
    long most = 9_007_199_254_740_991L;
    assertThat(spec(with("seed", most)).seed()).isEqualTo(most);
    assertThat(spec(with("seed", -most)).seed()).isEqualTo(-most);
    assertThat(onlyProblem(with("seed", most + 1)).message())
        .isEqualTo("seed must be <= 9007199254740991 but is 9007199254740992");
    assertThat(onlyProblem(with("seed", -most - 1)).message())
        .isEqualTo("seed must be >= -9007199254740991 but is -9007199254740992");
  }

  private static ProgramDescriptor wide(int tunables) {
    List<Tunable> many =
        IntStream.rangeClosed(1, tunables)
            .<Tunable>mapToObj(i -> new Tunable.LinearRange("weight" + i, 0, 1, 0.5))
            .toList();
    return new ProgramDescriptor("wide", "Many.", false, List.of(), many, MLP.validation());
  }

  @Test
  void gridOfMoreSettingsThanCanBeNumberedIsRefused() {
    ProgramDescriptor wide = wide(7);
    var tuning = new LinkedHashMap<String, Object>(Map.of("policy", "grid"));
    var document = Map.of("program", "wide", "tuning", tuning);
    assertThat(JobSpecReader.read(document, _ -> Optional.of(wide)).problems()).isEmpty();

    tuning.put("runs", Map.of("gridPoints", 1000));

    assertThat(JobSpecReader.read(document, _ -> Optional.of(wide)).problems())
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.pointer()).isEqualTo("/tuning/runs/gridPoints");
          assertThat(problem.message())
              .isEqualTo(
                  "a grid must have at most 1.0E15 settings but has 1000 values per continuous"
                      + " tunable, which gives 1.0E21");
        });
    tuning.put("policy", "random");
    assertThat(JobSpecReader.read(document, _ -> Optional.of(wide)).problems()).isEmpty();
    tuning.putAll(Map.of("policy", "mltuner", "searcher", "grid"));
    assertThat(JobSpecReader.read(document, _ -> Optional.of(wide)).problems()).isEmpty();
  }

  /// The searcher has points of its own, more than the policy.
  @Test
  void gridOfASearcherIsBoundedToo() {
    ProgramDescriptor wide = wide(15);
    var document =
        Map.of("program", "wide", "tuning", Map.of("policy", "mltuner", "searcher", "grid"));

    assertThat(JobSpecReader.read(document, _ -> Optional.of(wide)).problems())
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.pointer()).isEqualTo("/tuning/searcher");
          assertThat(problem.message()).contains("has 11 values per continuous tunable");
        });
  }

  @Test
  void keysOfOtherPoliciesAreToldWhereTheyAreNotTheirDefaults() {
    var tuning =
        new LinkedHashMap<String, Object>(
            Map.of(
                "maxTrials",
                7,
                "windows",
                10,
                "retune",
                Map.of("plateauEpochs", 9),
                "racing",
                Map.of("budget", 0.1)));

    assertThat(JobSpecReader.withoutEffect(spec(with("tuning", tuning))))
        .containsExactly(
            "tuning.maxTrials has no effect with the policy racing, only with mltuner",
            "tuning.retune.plateauEpochs has no effect with the policy racing, only with mltuner");
    assertThat(JobSpecReader.withoutEffect(with("tuning", tuning))).hasSize(2);
    tuning.put("policy", "mltuner");
    assertThat(JobSpecReader.withoutEffect(spec(with("tuning", tuning))))
        .containsExactly(
            "tuning.racing.budget has no effect with the policy mltuner, only with racing");
    tuning.put("policy", "fixed");
    assertThat(JobSpecReader.withoutEffect(spec(with("tuning", tuning)))).hasSize(3);
  }

  @Test
  void effectiveFormLeavesOutWhatOtherPoliciesReadUnlessItIsNotTheDefault() {
    JobSpec spec = spec(with("tuning", Map.of("policy", "asha", "windows", 12)));

    assertThat(JobSpecReader.toDocument(spec))
        .extractingByKey("tuning", InstanceOfAssertFactories.map(String.class, Object.class))
        .containsOnlyKeys("policy", "windows", "runs")
        .extractingByKey("runs", InstanceOfAssertFactories.map(String.class, Object.class))
        .containsOnlyKeys("max", "maxEpochs", "minEpochs", "eta", "defaultFirst");
    assertThat(spec(JobSpecReader.toDocument(spec))).isEqualTo(spec);
  }

  @Test
  void programAloneGetsEveryDefault() {
    JobSpec spec = spec(Map.of("program", "mlp"));

    assertThat(spec.name()).isEqualTo("mlp");
    assertThat(spec.arguments())
        .isEqualTo(
            Map.of(
                "hidden", "128",
                "optimizer", "momentum",
                "weightDecay", "0",
                "samples", "20000",
                "file", ""));
    assertThat(spec.workers()).isEqualTo(JobDefaults.WORKERS);
    assertThat(spec.tunables()).isEqualTo(MLP.tunables());
    assertThat(spec.tuning().setting()).isEqualTo(Setting.EMPTY);
    assertThat(spec.tuning().policy()).isEqualTo("racing");
    assertThat(spec.tuning().convergePlateauEpochs())
        .isEqualTo(JobDefaults.CONVERGE_PLATEAU_EPOCHS);
    assertThat(spec.stop()).isEqualTo(new JobSpec.Stop(JobDefaults.MAX_EPOCHS, 0, Double.NaN));
    assertThat(spec.time()).isEmpty();
  }

  @Test
  void everyFieldIsRead() {
    var document = new LinkedHashMap<String, Object>();
    document.put("name", "fashion");
    document.put("program", "mlp");
    document.put("data", "fashion-mnist");
    document.put("arguments", Map.of("hidden", List.of(128, 64), "optimizer", "adam"));
    document.put("workers", 3);
    document.put("launch", "external");
    document.put("seed", 7);
    document.put(
        "tunables",
        Map.of("learningRate", Map.of("type", "log", "min", 1e-4, "max", 0.5, "default", 0.02)));
    document.put(
        "tuning",
        Map.ofEntries(
            Map.entry("policy", "mltuner"),
            Map.entry("warmStart", false),
            Map.entry("searcher", "sobol"),
            Map.entry("setting", Map.of("momentum", 0.5)),
            Map.entry("windows", 8),
            Map.entry("startingLoss", false),
            Map.entry("probeClocks", 50),
            Map.entry("divergenceFactor", 4),
            Map.entry("trialTime", "1.5s"),
            Map.entry("maxTrials", 12),
            Map.entry("stop", Map.of("best", 4, "within", 0.2)),
            Map.entry("retune", Map.of("plateauEpochs", 2, "max", 3)),
            Map.entry(
                "racing",
                Map.ofEntries(
                    Map.entry("budget", 0.1),
                    Map.entry("confidence", 0.9),
                    Map.entry("probe", "heldOut"),
                    Map.entry("probeSamples", 500),
                    Map.entry("probeShare", 0.1),
                    Map.entry("challengers", 6),
                    Map.entry("rateStep", 3),
                    Map.entry("leastRateStep", 1.2),
                    Map.entry("trialClocks", 5),
                    Map.entry("trialShare", 0.03),
                    Map.entry("lapGrowth", 1.5),
                    Map.entry("cooldown", 0.3),
                    Map.entry("evaluationShare", 0.2),
                    Map.entry("patience", 0.4),
                    Map.entry("spike", 3),
                    Map.entry("overfit", 0.2),
                    Map.entry("restarts", 2),
                    Map.entry("restartShare", 0.5))),
            Map.entry("converge", Map.of("plateauEpochs", 9)),
            Map.entry(
                "runs",
                Map.ofEntries(
                    Map.entry("max", 8),
                    Map.entry("maxEpochs", 9),
                    Map.entry("minEpochs", 0.5),
                    Map.entry("eta", 4),
                    Map.entry("gridPoints", 6),
                    Map.entry("population", 12),
                    Map.entry("intervalEpochs", 0.5),
                    Map.entry("truncation", 0.3),
                    Map.entry("resample", 0.5),
                    Map.entry("perturbation", 1.5),
                    Map.entry("defaultFirst", false)))));
    document.put("stop", Map.of("maxEpochs", 12.5, "maxTime", "1h30m", "target", 0.9));
    document.put("checkpoints", Map.of("keep", 4));
    document.put("limits", Map.of("clockTimeout", "90s"));
    document.put("gpuMemory", "1.5 GiB");
    document.put(
        "communication",
        Map.of(
            "transport",
            "grpc",
            "updates",
            "bfloat16",
            "significance",
            0.5,
            "pushEvery",
            3,
            "fetchEvery",
            2,
            "sufficientFactors",
            true,
            "keyCaching",
            true));
    document.put(
        "time", Map.of("model", Map.of("perClockSeconds", 2e-4, "perSampleSeconds", "7e-6")));

    JobSpec spec = spec(document);

    assertThat(spec)
        .isEqualTo(
            new JobSpec(
                "fashion",
                "mlp",
                Optional.of("fashion-mnist"),
                Map.of(
                    "hidden", "128,64",
                    "optimizer", "adam",
                    "weightDecay", "0",
                    "samples", "20000",
                    "file", ""),
                3,
                JobSpec.Launch.EXTERNAL,
                7,
                List.of(new Tunable.LogRange("learningRate", 1e-4, 0.5, 0.02)),
                new JobSpec.Tuning(
                    "mltuner",
                    "sobol",
                    Setting.of(Map.of("momentum", 0.5, "batchSize", 64.0, "staleness", 0.0)),
                    List.of(),
                    8,
                    false,
                    50,
                    4,
                    1.5,
                    12,
                    4,
                    0.2,
                    2,
                    9,
                    3,
                    new JobSpec.Runs(8, 9, 0.5, 4, 6, 12, 0.5, 0.3, 0.5, 1.5, false),
                    new RacingOptions(
                        0.1,
                        0.9,
                        ProbeSource.HELD_OUT,
                        500,
                        0.1,
                        6,
                        3,
                        1.2,
                        5,
                        0.03,
                        1.5,
                        0.3,
                        0.2,
                        0.4,
                        3,
                        0.2,
                        2,
                        0.5),
                    false,
                    false),
                new JobSpec.Stop(12.5, 5400, 0.9),
                new JobSpec.Checkpoints(4),
                new JobSpec.Limits(90),
                Optional.of(new TimeModel(2e-4, 7e-6)),
                new Communication("grpc", "bfloat16", 0.5, 3, 2, true, true),
                3L << 29,
                List.of()));
    assertThat(spec(JobSpecReader.toDocument(spec))).isEqualTo(spec);
  }

  @Test
  void fixedScheduleStartsFromTheDefaultsOfTheProgram() {
    JobSpec spec =
        spec(
            with(
                "tuning",
                Map.of(
                    "policy",
                    "fixed",
                    "setting",
                    Map.of("batchSize", 100),
                    "schedule",
                    List.of(
                        Map.of("fromClock", 0, "setting", Map.of("learningRate", 0.1)),
                        Map.of("fromClock", 500, "setting", Map.of("learningRate", 0.01))))));

    assertThat(spec.tuning().schedule())
        .extracting(JobSpec.ScheduleEntry::fromClock, entry -> entry.setting().values())
        .containsExactly(
            tuple(
                0L,
                Map.of("batchSize", 100.0, "learningRate", 0.1, "momentum", 0.9, "staleness", 0.0)),
            tuple(
                500L,
                Map.of(
                    "batchSize", 100.0, "learningRate", 0.01, "momentum", 0.9, "staleness", 0.0)));
    assertThat(spec(JobSpecReader.toDocument(spec))).isEqualTo(spec);
  }

  @Test
  void valueThatIsSetIsNotSearched() {
    JobSpec spec = spec(with("tuning", Map.of("setting", Map.of("momentum", 0.5))));

    assertThat(spec.tunables())
        .extracting(Tunable::name)
        .containsExactly("learningRate", "batchSize", "staleness");
    assertThat(spec(JobSpecReader.toDocument(spec))).isEqualTo(spec);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "4096, 4096, 4KiB",
    "5000b, 5000, 5000",
    "512MiB, 536870912, 512MiB",
    "1536MB, 1610612736, 1536MiB",
    "8g, 8589934592, 8GiB",
    "2 TiB, 2199023255552, 2TiB"
  })
  void sizesAreReadAndWritten(String text, long bytes, String written) {
    assertThat(spec(with("gpuMemory", text)).gpuMemoryBytes()).isEqualTo(bytes);
    assertThat(SizeText.of(bytes)).isEqualTo(written);
    assertThat(SizeText.bytes(written)).contains(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "8 parsecs", "GiB", "99999999999999 TiB", "1e9"})
  void whatIsNoSizeIsRefused(String text) {
    assertThat(onlyProblem(with("gpuMemory", text)).message())
        .isEqualTo("gpuMemory must be a size such as 512MiB or 8GiB but is " + text);
  }

  /// The keys of a JSON object have no order, and searchers' dimensions do.
  @Test
  void orderOfKeysChangesNothing() {
    var ranges = new LinkedHashMap<String, Object>();
    ranges.put("batchSize", Map.of("type", "choice", "values", List.of(32, 64), "default", 64));
    ranges.put("momentum", Map.of("type", "linear", "min", 0, "max", 0.9));
    ranges.put("learningRate", Map.of("type", "log", "min", 0.001, "max", 0.1));

    JobSpec spec = spec(with("tunables", ranges));

    assertThat(spec.tunables())
        .extracting(Tunable::name)
        .containsExactly("learningRate", "momentum", "batchSize");
    ranges.putLast("batchSize", ranges.get("batchSize"));
    assertThat(spec(with("tunables", ranges))).isEqualTo(spec);
  }

  @Test
  void allProblemsComeAtOnce() {
    var document = new LinkedHashMap<String, Object>();
    document.put("program", "mlp");
    document.put("worker", 2);
    document.put("workers", 0);
    document.put("arguments", Map.of("hiden", 3, "optimizer", "adm"));
    document.put("tunables", Map.of("learning_rate", Map.of("type", "log")));
    document.put("tuning", Map.of("windws", 10));

    List<Problem> problems = read(document).problems();

    assertThat(problems)
        .extracting(Problem::pointer, Problem::message)
        .containsExactlyInAnyOrder(
            tuple("/workers", "workers must be >= 1 but is 0"),
            tuple("/worker", "unknown key worker; did you mean workers?"),
            tuple("/arguments/hiden", "unknown key hiden; did you mean hidden?"),
            tuple(
                "/arguments/optimizer",
                "optimizer must be one of momentum, nesterov, adam but is adm;"
                    + " did you mean adam?"),
            tuple(
                "/tunables/learning_rate", "unknown key learning_rate; did you mean learningRate?"),
            tuple("/tuning/windws", "unknown key windws; did you mean windows?"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "patience | did you mean tuning.racing.patience?",
        "patiense | did you mean tuning.racing.patience?",
        "plateauEpochs | did you mean tuning.retune.plateauEpochs or tuning.converge.plateauEpochs?",
        "momentum | did you mean tuning.setting.momentum?",
        "windws | did you mean windows?"
      })
  void keyThatStandsOneLevelTooHighIsFoundBelow(String key, String question) {
    assertThat(read(with("tuning", Map.of(key, 1))).problems())
        .containsExactly(
            new Problem("/tuning/" + key, "unknown key " + key + "; " + question, key));
  }

  @Test
  void keyOfADeeperSectionIsFoundFromTheRoot() {
    assertThat(read(with("hidden", 64)).problems().getFirst().message())
        .isEqualTo("unknown key hidden; did you mean arguments.hidden?");
    assertThat(read(with("maxEpoch", 64)).problems().getFirst().message())
        .isEqualTo("unknown key maxEpoch; did you mean tuning.runs.maxEpochs or stop.maxEpochs?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "type=log,min=0.1,max=0.1 | min must be < max (0.1) but is 0.1",
        "type=log,min=0,max=1 | min of a log tunable must be > 0 but is 0",
        "type=linear,min=-1,max=1 | learningRate must be > 0 but is -1",
        "type=log,min=0.1,max=1,default=2 | default must lie in [0.1, 1] but is 2",
        "type=log,min=0.1 | learningRate needs max",
        "type=log,min=abc,max=1 | min must be a finite number but is abc",
        "type=lg,min=0.1,max=1 | type must be one of log, linear, choice, float, categorical but"
            + " is lg; did you mean log?",
        "type=normal,min=0.1,max=1 | type must be one of log, linear, choice, float, categorical"
            + " but is normal",
        "min=0.1,max=1 | learningRate needs a type",
        "type=xyzzy,min=0.1,max=1 | type must be one of log, linear, choice, float, categorical but"
            + " is xyzzy",
        "type=choice | needs 1 to 1000 values but has 0",
        "type=log,min=0.1,max=1,step=3 | unknown key step",
      })
  void brokenTunableIsNamed(String fields, String expected) {
    var tunable = new HashMap<String, Object>();
    for (String field : fields.split(",")) {
      tunable.put(field.split("=")[0], field.split("=")[1]);
    }

    List<Problem> problems = read(with("tunables", Map.of("learningRate", tunable))).problems();

    assertThat(problems).anySatisfy(problem -> assertThat(problem.message()).contains(expected));
    assertThat(problems)
        .allSatisfy(problem -> assertThat(problem.pointer()).startsWith("/tunables/learningRate"));
    assertThat(problems)
        .noneSatisfy(problem ->
            assertThat(problem.message()).contains("must be one of").contains("known are"));
  }

  @Test
  void naturalBoundsOfKnownTunablesHold() {
    var document =
        with(
            "tunables",
            Map.of(
                "momentum", Map.of("type", "linear", "min", 0, "max", 1),
                "batchSize", Map.of("type", "categorical", "values", List.of(16, 32.5)),
                "staleness", Map.of("type", "choice", "values", List.of(-1, 0)),
                "learningRate", Map.of("type", "float", "min", 0.001, "max", 0.1)));

    assertThat(read(document).problems())
        .extracting(Problem::message)
        .containsExactlyInAnyOrder(
            "momentum must be < 1 but is 1",
            "batchSize must be a whole number but is 32.5",
            "staleness must be >= 0 but is -1");
  }

  @Test
  void rangeOfBatchSizesIsRejected() {
    Problem problem =
        onlyProblem(
            with("tunables", Map.of("batchSize", Map.of("type", "log", "min", 16, "max", 128))));

    assertThat(problem.message())
        .isEqualTo("batchSize takes whole numbers only, so its type must be choice");
  }

  @Test
  void scheduleMustAscendFromZero() {
    var document =
        with(
            "tuning",
            Map.of(
                "policy",
                "fixed",
                "schedule",
                List.of(
                    Map.of("fromClock", 5, "setting", Map.of("learningRate", 0.1)),
                    Map.of("fromClock", 5, "setting", Map.of("learningRate", 0.1)))));

    assertThat(read(document).problems())
        .extracting(Problem::pointer, Problem::message)
        .containsExactly(
            tuple("/tuning/schedule/0/fromClock", "the first fromClock must be 0 but is 5"),
            tuple(
                "/tuning/schedule/1/fromClock", "fromClock must be > 5, the one before, but is 5"));
  }

  @Test
  void scheduleMustStayInTheNamedSpace() {
    Map<String, Object> document =
        with(
            "tuning",
            Map.of(
                "policy",
                "fixed",
                "schedule",
                List.of(Map.of("fromClock", 0, "setting", Map.of("learningRate", 0.5)))));
    document.put(
        "tunables", Map.of("learningRate", Map.of("type", "log", "min", 0.01, "max", 0.1)));

    assertThat(onlyProblem(document))
        .isEqualTo(
            new Problem(
                "/tuning/schedule/0/setting/learningRate",
                "learningRate must be 0.01 to 0.1 but is 0.5",
                "0.5"));
  }

  @Test
  void convergingMustTakeLongerThanRetuning() {
    Problem problem =
        onlyProblem(
            with(
                "tuning",
                Map.of(
                    "retune", Map.of("plateauEpochs", 5), "converge", Map.of("plateauEpochs", 5))));

    assertThat(problem.pointer()).isEqualTo("/tuning/converge/plateauEpochs");
    assertThat(problem.message()).contains("must be > retune.plateauEpochs (5)").contains("is 5");
  }

  @Test
  void searchedTunableCannotBeSetToo() {
    Map<String, Object> document =
        with("tunables", Map.of("momentum", Map.of("type", "linear", "min", 0, "max", 0.9)));
    document.put("tuning", Map.of("setting", Map.of("momentum", 0.5)));

    assertThat(onlyProblem(document).message())
        .isEqualTo("momentum is searched, so tuning.setting must not name it");
  }

  @Test
  void programIsNeededAndMustExist() {
    assertThat(onlyProblem(Map.of("workers", 1)).pointer()).isEqualTo("/program");
    assertThat(onlyProblem(Map.of("program", "mlq")).message())
        .isEqualTo(
            "there is no program mlq on this server; espalier program list shows those that it has");
    assertThat(
            JobSpecReader.read(
                    Map.of("program", "mlq"), _ -> Optional.empty(), List.of("mf", "mlp", "lda"))
                .problems()
                .getFirst()
                .message())
        .isEqualTo("there is no program mlq on this server; did you mean mlp?");
    assertThat(onlyProblem(Map.of("program", "mf")).message())
        .isEqualTo("data is missing: the program mf needs a data folder");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x", "/etc", "a/../b", "a//b", "a b", "", ".hidden", "a/", "a\\b"})
  void dataOutsideTheRootsIsRejected(String data) {
    assertThat(onlyProblem(with("data", data)).pointer()).isEqualTo("/data");
  }

  @ParameterizedTest
  @CsvSource({
    "90s,90",
    "10m,600",
    "1h,3600",
    "1h30m,5400",
    "500ms,0.5",
    "12,12",
    "PT2M,120",
    "1.5s,1.5"
  })
  void timesAreReadInTheirUnits(String text, double seconds) {
    JobSpec spec = spec(with("stop", Map.of("maxTime", text)));

    assertThat(spec.stop().maxSeconds()).isEqualTo(seconds);
    assertThat(spec(JobSpecReader.toDocument(spec))).isEqualTo(spec);
  }

  @ParameterizedTest
  @CsvSource({
    "racing,0",
    "mltuner,0",
    "fixed,0",
    "random,30",
    "grid,30",
    "bayes,30",
    "hyperband,30",
    "asha,30",
    "pbt,30"
  })
  void timeAloneBoundsAMainlineAndNoRunOfAPopulation(String policy, double maxEpochs) {
    Map<String, Object> document = with("tuning", Map.of("policy", policy));
    document.put("stop", Map.of("maxTime", "10m"));
    assertThat(spec(document).stop()).isEqualTo(new JobSpec.Stop(maxEpochs, 600, Double.NaN));

    document.put("stop", Map.of("maxTime", "10m", "maxEpochs", 12));
    assertThat(spec(document).stop()).isEqualTo(new JobSpec.Stop(12, 600, Double.NaN));

    for (Object noBound : List.of(0, "0s")) {
      document.put("stop", Map.of("maxTime", noBound));
      assertThat(spec(document).stop()).isEqualTo(new JobSpec.Stop(30, 0, Double.NaN));
    }
  }

  /// Twenty lists, each of which names the one before ten times, stand for 10^20 words.
  @Test
  void whatStandsForMoreThanTheMemoryHoldsIsRefusedInShort() {
    List<?> list = List.of("word");
    for (int i = 0; i < 20; i++) {
      list = Collections.nCopies(10, list);
    }
    JobSpecReader.Result read = read(Map.of("program", "mlp", "name", list));

    assertThat(read.problems())
        .singleElement()
        .satisfies(problem ->
            assertThat(problem.message()).startsWith("name must be a text").hasSizeLessThan(200));
  }

  @Test
  void aNameHasNoZero() {
    assertThat(read(Map.of("program", "mlp", "name", "a\0b")).problems())
        .singleElement()
        .satisfies(problem -> assertThat(problem.message()).contains("no zero character"));
  }

  @Test
  void aNameIsCountedInCharacters() {
    assertThat(read(Map.of("program", "mlp", "name", "\uD83C\uDF33".repeat(80))).problems())
        .isEmpty();
    assertThat(onlyProblem(Map.of("program", "mlp", "name", "\uD83C\uDF33".repeat(81))).message())
        .isEqualTo("name must have <= 80 characters but has 81");
    assertThat(onlyProblem(Map.of("program", "mlp", "name", "a\uD83Cb")).message())
        .contains("halves of characters");
    assertThat(onlyProblem(Map.of("program", "mlp", "name", true)).message())
        .isEqualTo("name must be a text but is true");
  }

  @ParameterizedTest
  @ValueSource(strings = {"10 minutes", "-5s", "s", "PT-1S", "1x", "1h 30m", ""})
  void textThatIsNoTimeIsRejected(String text) {
    assertThat(onlyProblem(with("stop", Map.of("maxTime", text))).message())
        .startsWith("maxTime must be a time such as 90s, 10m or 1h30m but is");
  }

  @Test
  void numbersThatAreNotFiniteAreRejected() {
    for (Object number : List.of(Double.NaN, Double.POSITIVE_INFINITY, "NaN", "1e999999999")) {
      assertThat(onlyProblem(with("stop", Map.of("target", number))).pointer())
          .isEqualTo("/stop/target");
    }
  }

  @Test
  void wrongShapesAreNamedOnce() {
    assertThat(onlyProblem(with("tuning", "fast")).message())
        .isEqualTo("tuning must be a mapping of names to values but is fast");
    assertThat(onlyProblem(with("workers", List.of(2))).message())
        .isEqualTo("workers must be a whole number but is [2]");
    assertThat(onlyProblem(with("workers", 1.5)).message())
        .isEqualTo("workers must be a whole number but is 1.5");
    assertThat(onlyProblem(with("tunables", Map.of("momentum", 3))).pointer())
        .isEqualTo("/tunables/momentum");
  }

  @Test
  void nullCountsAsAbsent() {
    var document = new HashMap<String, Object>();
    document.put("program", "mlp");
    document.put("data", null);
    document.put("tuning", null);
    document.put("stop", null);

    assertThat(spec(document)).isEqualTo(spec(Map.of("program", "mlp")));
  }

  @Test
  void pointersEscapeTheirSpecialCharacters() {
    assertThat(onlyProblem(with("a/b~c", 1)).pointer()).isEqualTo("/a~1b~0c");
  }

  @Test
  void noDocumentMakesTheReaderThrow() {
    long seed = Long.getLong("test.seed", 20_251);
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    Map<String, Object> model = JobSpecReader.toDocument(spec(Map.of("program", "mlp")));
    for (int i = 0; i < 3000; i++) {
      Map<String, Object> document = mutated(model, random);
      JobSpecReader.Result result = read(document);
      assertThat(result.spec().isPresent())
          .as("seed %d, round %d: %s", seed, i, document)
          .isEqualTo(result.problems().isEmpty());
      result
          .spec()
          .ifPresent(spec ->
              assertThat(spec(JobSpecReader.toDocument(spec)))
                  .as("seed %d: %s", seed, document)
                  .isEqualTo(spec));
    }
  }

  private static Map<String, Object> mutated(Map<String, Object> model, RandomGenerator random) {
    var copy = new LinkedHashMap<String, Object>();
    model.forEach((key, value) -> {
      int dice = random.nextInt(40);
      String newKey = dice == 0 ? key.substring(1) : key;
      if (dice == 1) {
        copy.put(newKey, strange(random));
      } else if (dice != 2) {
        copy.put(newKey, value instanceof Map<?, ?> map ? mutated(cast(map), random) : value);
      }
    });
    return copy;
  }

  private static Map<String, Object> cast(Map<?, ?> map) {
    var copy = new LinkedHashMap<String, Object>();
    map.forEach((key, value) -> copy.put((String) key, value));
    return copy;
  }

  private static Object strange(RandomGenerator random) {
    List<Object> values =
        new ArrayList<>(
            Arrays.asList(
                -1,
                0,
                1,
                1e300,
                Double.NaN,
                "",
                "x",
                "\u0000",
                true,
                List.of(),
                List.of(1, "a"),
                Map.of(),
                Map.of("type", "log"),
                Long.MAX_VALUE,
                "90s",
                0.5,
                "fixed"));
    return values.get(random.nextInt(values.size()));
  }

  /// Each level names the one below ten times, as aliases of YAML do: ten thousand million texts.
  private static List<?> bomb() {
    List<?> level = List.of("lol");
    for (int i = 0; i < 10; i++) {
      level = Collections.nCopies(10, level);
    }
    return level;
  }

  @Test
  void whatStandsForMoreThanTheMemoryHoldsIsNeverWrittenOut() {
    // A map that holds them would take their hash, which walks through all.
    var keyed = new IdentityHashMap<Object, Object>();
    keyed.put(bomb(), 1);
    Map<String, Object> document = new HashMap<>();
    document.put("program", "mlp");
    document.put("arguments", Map.of("hidden", new IdentityHashMap<>(Map.of("a", bomb()))));
    document.put("tunables", keyed);
    document.put("tuning", Map.of("policy", "fixed", "schedule", List.of(bomb())));

    List<Problem> problems = JobSpecReader.read(document, name -> Optional.of(MLP)).problems();

    assertThat(problems)
        .extracting(Problem::pointer)
        .contains("/arguments/hidden", "/tunables", "/tuning/schedule/0");
    assertThat(problems).extracting(Problem::message).allMatch(text -> text.length() < 300);
  }

  @Test
  void aDocumentOfManyErrorsIsNotAnsweredWithAllOfThem() {
    Map<String, Object> document = new HashMap<>();
    document.put("program", "mlp");
    document.put("x".repeat(100_000), Map.of());
    for (int i = 0; i < 100_000; i++) {
      document.put("k" + i, i);
    }
    document.put("tuning", Map.of("schedule", Collections.nCopies(10_001, 1)));

    List<Problem> problems = JobSpecReader.read(document, name -> Optional.of(MLP)).problems();

    assertThat(problems).hasSizeBetween(100, 200);
    assertThat(problems)
        .extracting(Problem::message)
        .anyMatch(text -> text.startsWith("keys must have <= 200 characters"))
        .anyMatch(text -> text.startsWith("schedule must have <= 10000 entries but has 10001"))
        .allMatch(text -> text.length() < 300);
  }
}
