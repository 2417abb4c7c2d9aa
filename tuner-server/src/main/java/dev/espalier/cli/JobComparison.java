package dev.espalier.cli;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobDefaults;
import dev.espalier.api.rest.JobView;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Patience;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.cli.screen.Words;
import dev.espalier.cli.watch.JobsLeftRunning;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/*
 * Runs one job file under several policies and seeds, and says who was when how good. The best
 * quality that every run reached is the common quality; the time to it is what a policy costs. It is
 * judged on what jobs report of their result, evaluation by evaluation. A run that failed, or that
 * gained less than a quarter of what the best one did, would make that quality one that all others reach
 * at once: they are compared without it.
 */

/// `espalier job compare`.
final class JobComparison {
  private static final long POLL_MILLIS = 500;

  private final TunerClient client;
  private final Terminal progress;
  private final Patience patience;

  JobComparison(TunerClient client, Terminal progress) {
    this.client = client;
    this.progress = progress;
    this.patience = new Patience(client.base(), progress::line);
  }

  /// A job to run.
  record Entry(String policy, long seed, Map<String, Object> document) {}

  /// How a job went.
  ///
  /// @param evaluations of what led, as its result would have been then
  record Course(String policy, long seed, JobView job, List<EvaluationView> evaluations) {
    Course {
      evaluations =
          hasFailed(job) ? List.of() : evaluations.stream().filter(EvaluationView::leads).toList();
    }

    boolean hasFailed() {
      return hasFailed(job);
    }

    private static boolean hasFailed(JobView job) {
      return job.state() == JobState.FAILED;
    }

    Gain gain(String metric, Goal goal) {
      double first =
          evaluations.stream()
              .map(evaluation -> evaluation.metrics().get(metric))
              .flatMap(Stream::ofNullable)
              .filter(value -> !Double.isNaN(value))
              .findFirst()
              .orElse(Double.NaN);
      return new Gain(first, best(metric, goal));
    }

    double best(String metric, Goal goal) {
      double best = Double.NaN;
      for (EvaluationView evaluation : evaluations) {
        Double value = evaluation.metrics().get(metric);
        if (value != null && (Double.isNaN(best) || goal.isBetter(value, best))) {
          best = value;
        }
      }
      return best;
    }

    /// {@return seconds to a quality; NaN when it was never reached}
    double secondsTo(String metric, Goal goal, double quality) {
      for (EvaluationView evaluation : evaluations) {
        Double value = evaluation.metrics().get(metric);
        if (value != null && !goal.isBetter(quality, value)) {
          return evaluation.atSeconds();
        }
      }
      return Double.NaN;
    }

    double seconds() {
      return job.tuningSeconds() + job.trainingSeconds() + job.evaluationSeconds();
    }
  }

  /// {@return one entry per policy and seed, all seeds of a policy together}
  static List<Entry> entries(
      Map<String, Object> document, List<String> policies, int seeds, String maxTime) {
    long firstSeed = firstSeed(document, seeds);
    var entries = new ArrayList<Entry>();
    for (String policy : policies) {
      for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
        entries.add(new Entry(policy, seed, with(document, policy, seed, maxTime)));
      }
    }
    return entries;
  }

  private static long firstSeed(Map<String, Object> document, int seeds) {
    Object named = document.getOrDefault("seed", 1);
    double first = named instanceof Number number ? number.doubleValue() : Double.NaN;
    long most = JobDefaults.MAX_SEED - seeds + 1;
    if (first != Math.rint(first) || !(Math.abs(first) <= most)) {
      throw new CommandFailure(
          ExitStatus.INVALID_JOB,
          "seed must be a whole number in [%d, %d] for %d of them but is %s"
              .formatted(-most, most, seeds, named));
    }
    return (long) first;
  }

  private static Map<String, Object> with(
      Map<String, Object> document, String policy, long seed, String maxTime) {
    var copy = new LinkedHashMap<>(document);
    String[] parts = policy.split(":", 2);
    Map<String, Object> tuning = section(document, "tuning");
    boolean wasFixed = PolicyName.FIXED.equals(tuning.get("policy"));
    tuning.put("policy", parts[0]);
    if (parts.length > 1) {
      tuning.put("searcher", parts[1]);
    }
    if (!parts[0].equals(PolicyName.FIXED)) {
      // An exported schedule belongs to that policy, and so does what it was found with.
      tuning.remove("schedule");
      tuning.remove("holdOut");
      if (wasFixed) {
        // What others are told in it is not searched.
        tuning.remove("setting");
      }
    }
    // A seed must not learn from the one before, nor one policy from another.
    tuning.put("warmStart", false);
    copy.put("tuning", tuning);
    if (!maxTime.isEmpty()) {
      Map<String, Object> stop = section(document, "stop");
      stop.put("maxTime", maxTime);
      copy.put("stop", stop);
    }
    Object name = document.getOrDefault("name", document.getOrDefault("program", "job"));
    copy.put("name", cutFor(" " + policy + " seed " + seed, String.valueOf(name)));
    copy.put("seed", seed);
    return copy;
  }

  /// {@return a name with an ending, and as much of its beginning as a job's name may have}
  private static String cutFor(String ending, String name) {
    int room = Math.clamp(JobDefaults.MAX_NAME - ending.length(), 0, name.length());
    return name.substring(0, room) + ending;
  }

  private static Map<String, Object> section(Map<String, Object> document, String name) {
    var section = new LinkedHashMap<String, Object>();
    if (document.get(name) instanceof Map<?, ?> known) {
      known.forEach((key, value) -> section.put(String.valueOf(key), value));
    }
    return section;
  }

  /// Checks all entries before the first is submitted.
  void check(List<Entry> entries) {
    entries.stream()
        .filter(entry -> entry.seed() == entries.getFirst().seed())
        .forEach(entry -> client.post("/jobs?dryRun=true", entry.document()));
  }

  /// Runs all entries, so many at a time.
  ///
  /// @param open is told of each job that begins and ends
  /// @throws CommandFailure when the server refuses, or is away for ten minutes, or when nobody
  ///   reads any more; the jobs that run go on
  List<Course> run(List<Entry> entries, int parallel, JobsLeftRunning open)
      throws InterruptedException {
    Deque<Entry> waiting = new ArrayDeque<>(entries);
    Map<String, Entry> running = new LinkedHashMap<>();
    Map<Entry, Course> done = new LinkedHashMap<>();
    while (done.size() < entries.size()) {
      while (!waiting.isEmpty() && running.size() < parallel) {
        Entry next = waiting.removeFirst();
        String id = submit(next);
        running.put(id, next);
        open.begun(id);
        tell(
            "Running "
                + label(next)
                + " as "
                + id
                + " ("
                + (entries.size() - waiting.size())
                + " of "
                + entries.size()
                + ")");
      }
      for (var each : List.copyOf(running.entrySet())) {
        JobView job = patience.insist(() -> client.job(each.getKey()));
        if (job.state().isTerminal()) {
          running.remove(each.getKey());
          open.ended(each.getKey());
          done.put(each.getValue(), course(each.getValue(), job));
          tell(label(each.getValue()) + ": " + job.state() + ": " + job.message());
        }
      }
      if (!running.isEmpty()) {
        Thread.sleep(POLL_MILLIS);
      }
    }
    return entries.stream().flatMap(entry -> Stream.ofNullable(done.get(entry))).toList();
  }

  private String submit(Entry entry) throws InterruptedException {
    var key = Map.of("Idempotency-Key", UUID.randomUUID().toString());
    return patience
        .insist(() -> client.post("/jobs", entry.document(), key))
        .path("id")
        .asString("");
  }

  private Course course(Entry entry, JobView job) throws InterruptedException {
    String path = "/jobs/" + job.id() + "/evaluations?pageSize=1000";
    return new Course(
        entry.policy(),
        entry.seed(),
        job,
        patience.insist(() -> client.all(path, EvaluationView.class)));
  }

  /// {@return what came of the runs}
  Outcome judge(List<Course> courses) throws InterruptedException {
    String path = "/programs/" + TunerClient.segment(courses.getFirst().job().program());
    return Outcome.of(patience.insist(() -> client.get(path)), courses);
  }

  private void tell(String line) {
    progress.line(line);
    if (progress.isClosed()) {
      throw new CommandFailure(
          ExitStatus.INTERRUPTED, "nobody reads any more; the jobs that run go on");
    }
  }

  private static String label(Entry entry) {
    return entry.policy() + " seed " + entry.seed();
  }

  /// What a run came from and to; NaN for both where it has no result.
  record Gain(double first, double best) {}

  /// What runs are compared at.
  ///
  /// @param value the best that all runs reached that count; NaN when there is none
  /// @param without how many runs with a result do not count
  record Quality(double value, int without) {
    /// The part of the largest gain, from the worst first result on, below which a run does not
    /// count.
    private static final double LEAST_GAIN = 0.25;

    /// What fewer reached is common to nobody.
    private static final int FEWEST = 2;

    static Quality common(Goal goal, List<Gain> all) {
      List<Gain> gains = all.stream().filter(gain -> !Double.isNaN(gain.best())).toList();
      if (gains.isEmpty()) {
        return new Quality(Double.NaN, 0);
      }
      Comparator<Double> worstFirst = (a, b) -> goal.isBetter(a, b) ? 1 : a.equals(b) ? 0 : -1;
      double from = gains.stream().map(Gain::first).min(worstFirst).orElseThrow();
      double best = gains.stream().map(Gain::best).max(worstFirst).orElseThrow();
      double bar = from + LEAST_GAIN * (best - from);
      List<Double> bests = gains.stream().map(Gain::best).toList();
      List<Double> far = bests.stream().filter(value -> !goal.isBetter(bar, value)).toList();
      List<Double> counting = far.size() < FEWEST ? bests : far;
      return new Quality(
          counting.stream().min(worstFirst).orElse(best), gains.size() - counting.size());
    }
  }

  /// What came of it.
  ///
  /// @param metric that judges
  /// @param quality the common one
  record Outcome(String metric, Goal goal, Quality quality, List<Course> courses) {
    static Outcome of(JsonNode program, List<Course> courses) {
      JsonNode validation = program.path("validation").path(0);
      String metric = validation.path("name").asString("");
      Goal goal = Goal.valueOf(validation.path("goal").asString("MINIMIZE"));
      var quality =
          Quality.common(goal, courses.stream().map(course -> course.gain(metric, goal)).toList());
      return new Outcome(metric, goal, quality, List.copyOf(courses));
    }

    private double common() {
      return quality.value();
    }

    private List<String> policies() {
      return courses.stream().map(Course::policy).distinct().toList();
    }

    private List<Course> of(String policy) {
      return courses.stream().filter(course -> course.policy().equals(policy)).toList();
    }

    /// {@return the median over the courses, where NaN is more than any number}
    private static double median(List<Course> courses, ToDoubleFunction<Course> figure) {
      return median(
          courses.stream()
              .mapToDouble(figure)
              .map(value -> Double.isNaN(value) ? Double.POSITIVE_INFINITY : value));
    }

    /// {@return the mean of the two in the middle of an even number; NaN where it is infinite, and
    /// of none}
    static double median(DoubleStream values) {
      double[] sorted = values.sorted().toArray();
      if (sorted.length == 0) {
        return Double.NaN;
      }
      double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
      return Double.isInfinite(median) ? Double.NaN : median;
    }

    private double quality(String policy) {
      return median(
          of(policy).stream()
              .mapToDouble(course -> course.best(metric, goal))
              .filter(value -> !Double.isNaN(value)));
    }

    List<String> lines(String pages) {
      var table =
          new Table(
              "policy", "to common", "best " + metric, "seconds", "tuning", "branches", "jobs");
      for (String policy : policies()) {
        List<Course> own = of(policy);
        double time = median(own, course -> course.secondsTo(metric, goal, common()));
        double quality = quality(policy);
        table.row(
            policy,
            Double.isNaN(time)
                ? own.stream().allMatch(Course::hasFailed) ? "failed" : "never"
                : Words.seconds(time),
            Double.isNaN(quality) ? "-" : Words.number(quality),
            Words.seconds(median(own, Course::seconds)),
            Words.percent(median(own, course -> course.job().tuningShare())),
            Long.toString(Math.round(median(own, course -> course.job().branches()))),
            pages
                + "/#/jobs/"
                + own.getFirst().job().id()
                + (own.size() > 1 ? " and " + (own.size() - 1) + " more" : ""));
      }
      var lines = new ArrayList<String>();
      lines.add("");
      lines.addAll(table.lines());
      lines.add("");
      long failed = courses.stream().filter(Course::hasFailed).count();
      lines.add(
          Double.isNaN(common())
              ? "No run was evaluated, so there is nothing to compare."
              : "Common quality is "
                  + metric
                  + " "
                  + Words.number(common())
                  + ", the best that every run reached"
                  + butFor(failed)
                  + ". Figures are medians over seeds; the time to"
                  + " it counts from the job's turn, pauses left out, and is that of the cost model"
                  + " where the job file has one; seconds are those that branches ran.");
      return lines;
    }

    private String butFor(long failed) {
      var parts = new ArrayList<String>();
      if (failed > 0) {
        parts.add(failed + " of " + courses.size() + " that failed");
      }
      if (quality.without() > 0) {
        parts.add(
            "%d of %d that gained less than a quarter of what the best one did"
                .formatted(quality.without(), courses.size()));
      }
      return parts.isEmpty()
          ? ""
          : " but for " + String.join(", and ", parts) + ", which count as never reaching it";
    }

    Map<String, Object> document() {
      var document = new LinkedHashMap<String, Object>();
      document.put("metric", metric);
      document.put("goal", goal.name());
      document.put("commonQuality", readable(common()));
      document.put("runsFarBelow", quality.without());
      var policies = new ArrayList<Map<String, Object>>();
      for (String policy : policies()) {
        List<Course> own = of(policy);
        var row = new LinkedHashMap<String, Object>();
        row.put("policy", policy);
        row.put(
            "secondsToCommon",
            readable(median(own, course -> course.secondsTo(metric, goal, common()))));
        row.put("quality", readable(quality(policy)));
        row.put("seconds", readable(median(own, Course::seconds)));
        row.put("tuningShare", readable(median(own, course -> course.job().tuningShare())));
        row.put("branches", readable(median(own, course -> course.job().branches())));
        row.put(
            "jobs",
            own.stream()
                .map(course ->
                    Map.of(
                        "id", course.job().id(),
                        "seed", course.seed(),
                        "state", course.job().state().name()))
                .toList());
        policies.add(row);
      }
      document.put("policies", policies);
      return document;
    }

    private static Object readable(double value) {
      return Double.isFinite(value) ? (Object) value : (Object) "none";
    }

    int status() {
      return (courses.stream().anyMatch(Course::hasFailed) ? ExitStatus.JOB_FAILED : ExitStatus.OK)
          .code();
    }
  }

  static List<String> policies(String text) {
    List<String> policies =
        java.util.Arrays.stream(text.split(",")).map(String::strip).distinct().toList();
    if (policies.stream().anyMatch(String::isEmpty)) {
      throw new CommandFailure(
          ExitStatus.USAGE, "--policies must be names with commas between them but is " + text);
    }
    return policies;
  }
}
