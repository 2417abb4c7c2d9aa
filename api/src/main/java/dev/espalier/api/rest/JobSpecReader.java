package dev.espalier.api.rest;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.Section.Bounds;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Turns a job file, parsed as YAML or JSON, into a checked job, and back.
///
/// Reading is strict and reports everything that is wrong at once: unknown keys with the word that
/// was probably meant, wrong types, values out of bounds, and parts that contradict each other.
public final class JobSpecReader {
  private static final double MAX_SECONDS = 365 * 86_400.0;
  private static final int MAX_SCHEDULE = 10_000;

  /// Far more settings than any job tries, and few enough to number them in 64 bits.
  private static final double MAX_GRID = 1e15;

  private static final String DATA_PATTERN =
      "[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*";

  private final List<Problem> problems = new ArrayList<>();
  private final Section root;
  private final Function<String, Optional<ProgramDescriptor>> programs;
  private final Collection<String> names;

  private JobSpecReader(
      Map<?, ?> document,
      Function<String, Optional<ProgramDescriptor>> programs,
      Collection<String> names) {
    this.root = Section.of(document, "", problems);
    this.programs = programs;
    this.names = names;
  }

  private JobSpecReader(Map<?, ?> document) {
    this(document, _ -> Optional.empty(), List.of());
  }

  /// A checked job, or what is wrong with its document.
  ///
  /// @param spec present when there is no problem
  /// @param problems in the order of reading; empty when there is a job
  public record Result(Optional<JobSpec> spec, List<Problem> problems) {
    public Result {
      requireNonNull(spec, "spec");
      problems = List.copyOf(problems);
    }
  }

  /// {@return the job that `document` describes, with every default filled in, or its problems}
  ///
  /// @param document maps, lists, texts, numbers and booleans, as YAML and JSON parsers give them;
  ///   a null value counts as an absent key
  /// @param programs the descriptor of a program by its name; empty when there is no such program
  public static Result read(
      Map<String, ? extends @Nullable Object> document,
      Function<String, Optional<ProgramDescriptor>> programs) {
    return read(document, programs, List.of());
  }

  /// {@return the same}
  ///
  /// @param names of the programs that there are, one of which may be meant by a name that is not
  public static Result read(
      Map<String, ? extends @Nullable Object> document,
      Function<String, Optional<ProgramDescriptor>> programs,
      Collection<String> names) {
    var reader = new JobSpecReader(document, programs, names);
    JobSpec spec = reader.job();
    return reader.problems.isEmpty()
        ? new Result(Optional.of(spec), List.of())
        : new Result(Optional.empty(), reader.problems.stream().distinct().toList());
  }

  /// {@return `spec` as the document of a job file that reads back as the same job; keys that have
  /// no effect with its policy are left out where they have their defaults}
  public static Map<String, Object> toDocument(JobSpec spec) {
    return JobSpecWriter.write(spec);
  }

  /// {@return a sentence for each key that the job's file need not have named, for it has no effect
  /// with the job's policy}
  public static List<String> withoutEffect(JobSpec spec) {
    return JobSpecWriter.withoutEffect(spec.tuning());
  }

  /// {@return the same of a job file that no server has read; keys with a problem count as unnamed}
  public static List<String> withoutEffect(Map<String, ? extends @Nullable Object> document) {
    var reader = new JobSpecReader(document);
    return JobSpecWriter.withoutEffect(reader.tuning(new TunableReader(Optional.empty())));
  }

  /// {@return what a job file comes to that names nothing of tuning but the policy}
  static JobSpec.Tuning unnamed(String policy) {
    var named = Map.of("tuning", Map.of("policy", policy));
    var reader = new JobSpecReader(named);
    return reader.tuning(new TunableReader(Optional.empty()));
  }

  private JobSpec job() {
    Optional<String> named = root.text("name");
    String programName = root.text("program").orElse("");
    Optional<ProgramDescriptor> program = program(programName);
    String name = named.orElse(programName);
    checkName(name);
    Optional<String> data = data(program);
    var argumentReader = new ArgumentReader(root.section("arguments"));
    Map<String, String> arguments =
        program.map(argumentReader::read).orElseGet(argumentReader::readUnchecked);
    int workers = root.whole("workers", 1, 64, JobDefaults.WORKERS);
    String launch =
        root.word(
            "launch",
            List.of("local", "external"),
            JobDefaults.LAUNCH.name().toLowerCase(Locale.ROOT));
    long seed = root.whole("seed", -JobDefaults.MAX_SEED, JobDefaults.MAX_SEED, JobDefaults.SEED);
    var tunableReader = new TunableReader(program);
    boolean spaceNamed = root.has("tunables");
    List<Tunable> described = tunableReader.read(root.section("tunables"));
    JobSpec.Tuning tuning = tuning(tunableReader);
    List<Tunable> space = space(spaceNamed, described, program, tuning);
    JobSpec.Tuning filled = fill(tuning, space, program);
    checkGrid(filled, space);
    JobSpec.Stop stop = stop(filled.hasMainline());
    Section checkpoints = root.section("checkpoints");
    int keep = checkpoints.whole("keep", 1, 100, JobDefaults.KEEP_CHECKPOINTS);
    checkpoints.rejectUnknownKeys();
    Section limits = root.section("limits");
    double clockTimeout =
        limits.seconds("clockTimeout", MAX_SECONDS, JobDefaults.CLOCK_TIMEOUT_SECONDS);
    limits.rejectUnknownKeys();
    Optional<TimeModel> time = time();
    Communication communication = communication();
    long gpuMemoryBytes = root.bytes("gpuMemory", 0);
    root.rejectUnknownKeys();
    return new JobSpec(
        name,
        programName,
        data,
        arguments,
        workers,
        JobSpec.Launch.valueOf(launch.toUpperCase(Locale.ROOT)),
        seed,
        space,
        filled,
        stop,
        new JobSpec.Checkpoints(keep),
        new JobSpec.Limits(clockTimeout),
        time,
        communication,
        gpuMemoryBytes,
        List.of());
  }

  /// A grid numbers its settings.
  private void checkGrid(JobSpec.Tuning tuning, List<Tunable> space) {
    boolean isSearcher =
        tuning.policy().equals(PolicyName.MLTUNER) && tuning.searcher().equals(PolicyName.GRID);
    int perTunable = isSearcher ? SearchSpace.GRID_POINTS : tuning.runs().gridPoints();
    double points =
        space.stream()
            .filter(tunable -> !tuning.setting().values().containsKey(tunable.name()))
            .mapToDouble(tunable ->
                tunable instanceof Tunable.Choice choice ? choice.values().size() : perTunable)
            .reduce(1, (some, more) -> some * more);
    if (points <= MAX_GRID) {
      return;
    }
    String shown =
        perTunable + " values per continuous tunable, which gives " + NumberText.of(points);
    String most = "a grid must have at most " + NumberText.of(MAX_GRID) + " settings but has ";
    if (isSearcher) {
      root.section("tuning").wrong("searcher", PolicyName.GRID, most + shown);
    } else if (tuning.policy().equals(PolicyName.GRID)) {
      root.section("tuning").section("runs").wrong("gridPoints", perTunable, most + shown);
    }
  }

  private Communication communication() {
    Section section = root.section("communication");
    Communication plain = Communication.PLAIN;
    var communication =
        new Communication(
            section.word("transport", Communication.TRANSPORTS, plain.transport()),
            section.word("updates", Communication.CODES, plain.updates()),
            section.number(
                "significance",
                Section.Bounds.closed(0, Communication.MAX_SIGNIFICANCE),
                plain.significance()),
            section.whole("pushEvery", 1, Communication.MAX_EVERY, plain.pushEvery()),
            section.whole("fetchEvery", 1, Communication.MAX_EVERY, plain.fetchEvery()),
            section.flag("sufficientFactors", plain.sufficientFactors()),
            section.flag("keyCaching", plain.keyCaching()));
    section.rejectUnknownKeys();
    return communication;
  }

  private Optional<ProgramDescriptor> program(String name) {
    if (name.isEmpty()) {
      if (!root.has("program") || "".equals(root.raw("program").orElse(null))) {
        root.missing("program", "program is missing: name the training program to run");
      }
      return Optional.empty();
    }
    Optional<ProgramDescriptor> program = programs.apply(name);
    if (program.isEmpty()) {
      String meant = Suggestion.question(name, names);
      root.wrong(
          "program",
          name,
          "there is no program "
              + Section.shown(name)
              + " on this server"
              + (meant.isEmpty() ? "; espalier program list shows those that it has" : meant));
    }
    return program;
  }

  private void checkName(String name) {
    int characters = name.codePointCount(0, name.length());
    if (root.raw("name").filter(String.class::isInstance).isPresent() && name.isBlank()) {
      root.wrong("name", name, "name must not be blank");
    } else if (characters > JobDefaults.MAX_NAME) {
      root.wrong(
          "name",
          name,
          "name must have <= " + JobDefaults.MAX_NAME + " characters but has " + characters);
    } else if (name.codePoints().anyMatch(one -> Character.getType(one) == Character.SURROGATE)) {
      root.wrong("name", name, "name must not contain halves of characters (lone surrogates)");
    } else if (name.codePoints().anyMatch(Character::isISOControl)) {
      root.wrong("name", name, "name must not contain control characters");
    }
  }

  private Optional<String> data(Optional<ProgramDescriptor> program) {
    Optional<String> data = root.text("data");
    if (data.isPresent() && (!data.get().matches(DATA_PATTERN) || data.get().length() > 200)) {
      root.wrong(
          "data",
          data.get(),
          "data must be the path of a folder below one of the server's data roots, made of letters,"
              + " digits and ._-/, but is "
              + Section.shown(data.get()));
    }
    if (!root.has("data") && program.isPresent() && program.get().needsData()) {
      root.missing(
          "data", "data is missing: the program " + program.get().name() + " needs a data folder");
    }
    return data;
  }

  private JobSpec.Tuning tuning(TunableReader tunableReader) {
    Section section = root.section("tuning");
    String policy = section.word("policy", PolicyName.ALL, JobDefaults.POLICY);
    String searcher = section.word("searcher", JobDefaults.SEARCHERS, JobDefaults.SEARCHER);
    Setting setting = tunableReader.setting(section.section("setting"));
    List<JobSpec.ScheduleEntry> schedule = schedule(section, tunableReader, policy, setting);
    int windows = section.whole("windows", 3, 1000, JobDefaults.WINDOWS);
    boolean startingLoss = section.flag("startingLoss", JobDefaults.STARTING_LOSS);
    int probeClocks = section.whole("probeClocks", 1, 100_000, JobDefaults.PROBE_CLOCKS);
    double divergenceFactor =
        section.number("divergenceFactor", Bounds.above(1, 1e9), JobDefaults.DIVERGENCE_FACTOR);
    double trialSeconds =
        "auto".equals(section.raw("trialTime").orElse("auto"))
            ? JobDefaults.TRIAL_SECONDS
            : section.seconds("trialTime", 86_400, JobDefaults.TRIAL_SECONDS);
    int maxTrials = section.whole("maxTrials", 1, 10_000, JobDefaults.MAX_TRIALS);
    Section stop = section.section("stop");
    int best = stop.whole("best", 1, 10_000, JobDefaults.STOP_BEST);
    double within = stop.number("within", Bounds.closed(0, 1), JobDefaults.STOP_WITHIN);
    stop.rejectUnknownKeys();
    Section retune = section.section("retune");
    int retunePlateau =
        retune.whole("plateauEpochs", 1, 100_000, JobDefaults.RETUNE_PLATEAU_EPOCHS);
    int maxRetunes = retune.whole("max", 0, 10_000, JobDefaults.MAX_RETUNES);
    retune.rejectUnknownKeys();
    int convergePlateau = convergePlateau(section.section("converge"), retunePlateau);
    JobSpec.Runs runs = runs(section.section("runs"));
    RacingOptions racing = racing(section.section("racing"), policy);
    boolean warmStart = section.flag("warmStart", JobDefaults.WARM_START);
    boolean holdOut = holdOut(section, policy);
    section.rejectUnknownKeys();
    return new JobSpec.Tuning(
        policy,
        searcher,
        setting,
        schedule,
        windows,
        startingLoss,
        probeClocks,
        divergenceFactor,
        trialSeconds,
        maxTrials,
        best,
        within,
        retunePlateau,
        convergePlateau,
        maxRetunes,
        runs,
        racing,
        warmStart,
        holdOut);
  }

  private static boolean holdOut(Section tuning, String policy) {
    boolean holdOut = tuning.flag("holdOut", JobDefaults.HOLD_OUT);
    if (holdOut && !policy.equals(PolicyName.FIXED)) {
      tuning.wrong(
          "holdOut",
          "true",
          "holdOut belongs to the policy fixed, but the policy is "
              + policy
              + ": racing holds out what it needs by itself, and the others need none");
    }
    return holdOut;
  }

  private static JobSpec.Runs runs(Section section) {
    JobSpec.Runs otherwise = JobSpec.Runs.DEFAULTS;
    Bounds epochs = Bounds.closed(0, 1e6);
    var runs =
        new JobSpec.Runs(
            section.whole("max", 0, 100_000, otherwise.max()),
            section.number("maxEpochs", epochs, otherwise.maxEpochs()),
            section.number("minEpochs", epochs, otherwise.minEpochs()),
            section.whole("eta", 2, 100, otherwise.eta()),
            section.whole("gridPoints", 2, 1000, otherwise.gridPoints()),
            section.whole("population", 2, 1000, otherwise.population()),
            section.number("intervalEpochs", Bounds.above(0, 1e6), otherwise.intervalEpochs()),
            section.number("truncation", Bounds.above(0, 0.5), otherwise.truncation()),
            section.number("resample", Bounds.closed(0, 1), otherwise.resample()),
            section.number(
                "perturbation", new Bounds(1, false, 2, false), otherwise.perturbation()),
            section.flag("defaultFirst", otherwise.defaultFirst()));
    if (runs.maxEpochs() > 0 && runs.minEpochs() > runs.maxEpochs()) {
      section.wrong(
          "minEpochs",
          NumberText.of(runs.minEpochs()),
          "minEpochs must be <= maxEpochs ("
              + NumberText.of(runs.maxEpochs())
              + ") but is "
              + NumberText.of(runs.minEpochs()));
    }
    section.rejectUnknownKeys();
    return runs;
  }

  private static RacingOptions racing(Section section, String policy) {
    RacingOptions otherwise = RacingOptions.DEFAULTS;
    // Schedules that were exported before there was a choice hold samples out.
    ProbeSource probe = policy.equals(PolicyName.FIXED) ? ProbeSource.HELD_OUT : otherwise.probe();
    var racing =
        new RacingOptions(
            section.number("budget", Bounds.closed(0, 0.9), otherwise.budget()),
            section.number("confidence", new Bounds(0.5, false, 1, false), otherwise.confidence()),
            ProbeSource.of(section.word("probe", ProbeSource.words(), probe.word())),
            section.whole("probeSamples", 16, 1_000_000, otherwise.probeSamples()),
            section.number("probeShare", Bounds.above(0, 0.5), otherwise.probeShare()),
            section.whole("challengers", 1, 64, otherwise.challengers()),
            section.number("rateStep", Bounds.above(1, 1000), otherwise.rateStep()),
            section.number("leastRateStep", Bounds.above(1, 1000), otherwise.leastRateStep()),
            section.whole("trialClocks", 1, 100_000, otherwise.trialClocks()),
            section.number("trialShare", Bounds.closed(0, 0.5), otherwise.trialShare()),
            section.number("lapGrowth", Bounds.above(1, 10), otherwise.lapGrowth()),
            section.number("cooldown", Bounds.closed(0, 1), otherwise.cooldown()),
            section.number("evaluationShare", Bounds.above(0, 1), otherwise.evaluationShare()),
            section.number("patience", new Bounds(0, false, 1, false), otherwise.patience()),
            section.number("spike", Bounds.above(1, 1e9), otherwise.spike()),
            section.number("overfit", Bounds.above(0, 1e9), otherwise.overfit()),
            section.whole("restarts", 0, 1000, otherwise.restarts()),
            section.number("restartShare", Bounds.closed(0, 1), otherwise.restartShare()));
    section.rejectUnknownKeys();
    return racing;
  }

  private int convergePlateau(Section converge, int retunePlateau) {
    int otherwise = JobDefaults.convergePlateauEpochs(retunePlateau);
    int plateau = converge.whole("plateauEpochs", 1, 1_000_000, otherwise);
    if (plateau <= retunePlateau) {
      converge.wrong(
          "plateauEpochs",
          plateau,
          "converge.plateauEpochs must be > retune.plateauEpochs ("
              + retunePlateau
              + "), or no re-tuning could ever start, but is "
              + plateau);
    }
    converge.rejectUnknownKeys();
    return plateau;
  }

  private List<JobSpec.ScheduleEntry> schedule(
      Section tuning, TunableReader tunableReader, String policy, Setting base) {
    List<?> list = tuning.list("schedule");
    if (list.size() > MAX_SCHEDULE) {
      tuning.wrong(
          "schedule",
          list.size() + " entries",
          "schedule must have <= " + MAX_SCHEDULE + " entries but has " + list.size());
      return List.of();
    }
    if (!list.isEmpty() && !policy.equals(PolicyName.FIXED)) {
      tuning.wrong(
          "schedule",
          list.size() + " entries",
          "schedule belongs to the policy fixed, but the policy is " + policy);
    }
    var entries = new ArrayList<JobSpec.ScheduleEntry>();
    long previous = -1;
    for (int i = 0; i < list.size(); i++) {
      String pointer = tuning.pointerTo("schedule") + "/" + i;
      if (!(list.get(i) instanceof Map<?, ?> map)) {
        tuning.add(pointer, "a schedule entry must have fromClock and setting", list.get(i));
        continue;
      }
      Section entry = Section.of(map, pointer, problems);
      long fromClock = fromClock(entry, i, previous);
      Setting setting = tunableReader.setting(entry.section("setting"));
      if (!entry.has("setting")) {
        entry.missing("setting", "setting is missing from schedule entry " + i);
      }
      Optional<Shape.LinearToZero> cooldown = cooldown(entry);
      entry.rejectUnknownKeys();
      entries.add(new JobSpec.ScheduleEntry(Math.max(fromClock, 0), base.with(setting), cooldown));
      previous = Math.max(previous, fromClock);
    }
    return entries;
  }

  private static Optional<Shape.LinearToZero> cooldown(Section entry) {
    if (!entry.has("cooldown")) {
      return Optional.empty();
    }
    Section section = entry.section("cooldown");
    long from = section.whole("fromClock", 0, Long.MAX_VALUE, 0);
    long until = section.whole("untilClock", 1, Long.MAX_VALUE, -1);
    if (!section.has("untilClock")) {
      section.missing("untilClock", "untilClock is missing from a cooldown");
    } else if (until > 0 && until <= from) {
      section.wrong(
          "untilClock", until, "untilClock must be > " + from + ", fromClock, but is " + until);
    }
    section.rejectUnknownKeys();
    return until > from ? Optional.of(new Shape.LinearToZero(from, until)) : Optional.empty();
  }

  private static long fromClock(Section entry, int index, long previous) {
    long fromClock = entry.whole("fromClock", 0, Long.MAX_VALUE, -1);
    if (!entry.has("fromClock")) {
      entry.missing("fromClock", "fromClock is missing from schedule entry " + index);
    } else if (index == 0 && fromClock > 0) {
      entry.wrong("fromClock", fromClock, "the first fromClock must be 0 but is " + fromClock);
    } else if (index > 0 && fromClock >= 0 && fromClock <= previous) {
      entry.wrong(
          "fromClock",
          fromClock,
          "fromClock must be > " + previous + ", the one before, but is " + fromClock);
    }
    return fromClock;
  }

  private List<Tunable> space(
      boolean spaceNamed,
      List<Tunable> read,
      Optional<ProgramDescriptor> program,
      JobSpec.Tuning tuning) {
    boolean fixed = tuning.policy().equals(PolicyName.FIXED);
    Section tuningSection = root.section("tuning");
    if (spaceNamed && !read.isEmpty()) {
      if (fixed) {
        checkInside(read, tuning, tuningSection);
      } else {
        rejectSearchedAndSet(read, tuning, tuningSection);
      }
      return read;
    }
    List<Tunable> all = program.map(ProgramDescriptor::tunables).orElse(List.of());
    if (fixed) {
      return all.stream().filter(tunable -> isInside(tunable, tuning)).toList();
    }
    List<Tunable> searched =
        all.stream()
            .filter(tunable -> !tuning.setting().values().containsKey(tunable.name()))
            .toList();
    if (searched.isEmpty() && program.isPresent() && problems.isEmpty()) {
      root.missing("tunables", "nothing is left to search: name tunables, or use the policy fixed");
    }
    return searched;
  }

  private static boolean isInside(Tunable tunable, JobSpec.Tuning tuning) {
    Double value = tuning.setting().values().get(tunable.name());
    boolean inside = value == null || tunable.contains(value);
    for (JobSpec.ScheduleEntry entry : tuning.schedule()) {
      Double step = entry.setting().values().get(tunable.name());
      inside &= step == null || tunable.contains(step);
    }
    return inside;
  }

  private static void rejectSearchedAndSet(
      List<Tunable> space, JobSpec.Tuning tuning, Section tuningSection) {
    Section setting = tuningSection.section("setting");
    for (Tunable tunable : space) {
      Double value = tuning.setting().values().get(tunable.name());
      if (value != null) {
        setting.wrong(
            tunable.name(),
            NumberText.of(value),
            tunable.name() + " is searched, so tuning.setting must not name it");
      }
    }
  }

  private void checkInside(List<Tunable> space, JobSpec.Tuning tuning, Section tuningSection) {
    outside(space, tuning.setting(), tuningSection.section("setting"));
    List<?> list = tuningSection.list("schedule");
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i) instanceof Map<?, ?> map
          && map.get("setting") instanceof Map<?, ?> values
          && i < tuning.schedule().size()) {
        Section at =
            Section.of(
                values, tuningSection.pointerTo("schedule") + "/" + i + "/setting", problems);
        var own = new TreeMap<>(tuning.schedule().get(i).setting().values());
        own.keySet().retainAll(at.keys());
        outside(space, new Setting(own), at);
      }
    }
  }

  private static void outside(List<Tunable> space, Setting setting, Section at) {
    for (Tunable tunable : space) {
      Double value = setting.values().get(tunable.name());
      if (value != null && !tunable.contains(value)) {
        at.wrong(
            tunable.name(),
            NumberText.of(value),
            tunable.name() + " must be " + tunable.range() + " but is " + NumberText.of(value));
      }
    }
  }

  /*
   * The base setting names every tunable that is not searched, so that a job is complete even
   * when a later version of its program has other defaults.
   */
  private static JobSpec.Tuning fill(
      JobSpec.Tuning tuning, List<Tunable> space, Optional<ProgramDescriptor> program) {
    var base = new TreeMap<String, Double>();
    program.ifPresent(known -> base.putAll(new SearchSpace(known.tunables()).defaults().values()));
    space.forEach(tunable -> {
      if (tuning.policy().equals(PolicyName.FIXED)) {
        base.put(tunable.name(), tunable.defaultValue());
      } else {
        base.remove(tunable.name());
      }
    });
    base.putAll(tuning.setting().values());
    var setting = new Setting(base);
    return new JobSpec.Tuning(
        tuning.policy(),
        tuning.searcher(),
        setting,
        tuning.schedule().stream()
            .map(entry ->
                new JobSpec.ScheduleEntry(
                    entry.fromClock(), setting.with(entry.setting()), entry.cooldown()))
            .toList(),
        tuning.windows(),
        tuning.startingLoss(),
        tuning.probeClocks(),
        tuning.divergenceFactor(),
        tuning.trialSeconds(),
        tuning.maxTrials(),
        tuning.stopBest(),
        tuning.stopWithin(),
        tuning.retunePlateauEpochs(),
        tuning.convergePlateauEpochs(),
        tuning.maxRetunes(),
        tuning.runs(),
        tuning.racing(),
        tuning.warmStart(),
        tuning.holdOut());
  }

  /// A run of a population needs a length; a mainline has one where a bound on its time is named.
  private JobSpec.Stop stop(boolean hasMainline) {
    Section section = root.section("stop");
    boolean isBoundedByTime = hasMainline && section.has("maxTime") && !section.has("maxEpochs");
    double maxEpochs = section.number("maxEpochs", Bounds.closed(0, 1e9), JobDefaults.MAX_EPOCHS);
    double maxSeconds = section.seconds("maxTime", MAX_SECONDS, JobDefaults.MAX_SECONDS);
    double target = section.number("target").orElse(Double.NaN);
    section.rejectUnknownKeys();
    return new JobSpec.Stop(isBoundedByTime && maxSeconds > 0 ? 0 : maxEpochs, maxSeconds, target);
  }

  private Optional<TimeModel> time() {
    boolean named = root.has("time");
    Section section = root.section("time");
    Section model = section.section("model");
    double perClock = model.number("perClockSeconds", Bounds.closed(0, 1e6), 0);
    double perSample = model.number("perSampleSeconds", Bounds.closed(0, 1e6), 0);
    model.rejectUnknownKeys();
    section.rejectUnknownKeys();
    if (!named) {
      return Optional.empty();
    }
    if (perClock + perSample <= 0) {
      section.missing("model", "time.model needs perClockSeconds or perSampleSeconds to be > 0");
      return Optional.empty();
    }
    return Optional.of(new TimeModel(perClock, perSample));
  }
}
