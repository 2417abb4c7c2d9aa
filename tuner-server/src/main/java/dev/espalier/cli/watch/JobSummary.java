package dev.espalier.cli.watch;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.cli.screen.Terminal.Style;
import dev.espalier.cli.screen.Words;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A job in a few lines, when nobody follows it any more.
public final class JobSummary {
  private JobSummary() {}

  /// {@return one job in rows}
  public static Table describe(JobView job) {
    var table = new Table("field", "value");
    table.row("id", job.id());
    table.row("name", job.name());
    table.row("program", job.program());
    table.row(
        "policy",
        job.policy()
            + (job.policy().equals(PolicyName.MLTUNER) ? ", searcher " + job.searcher() : ""));
    table.row("state", job.state() + ": " + job.message());
    if (!job.waitingFor().isEmpty()) {
      table.row("waiting for", job.waitingFor());
    }
    JobView.Stall stall = job.stall();
    if (stall != null) {
      table.row("stands still", "since " + JobPicture.inWords(stall));
    }
    table.row("since", Words.day(job.since()));
    table.row("submitted", Words.day(job.createTime()));
    table.row("ended", Words.day(job.endTime()));
    table.row("workers", job.workers() + ", generation " + job.generation());
    table.row("seed", Long.toString(job.seed()));
    table.row("setting", Words.setting(job.setting()));
    table.row("mainline", "branch #" + job.mainlineBranch() + ", clock " + job.mainlineClock());
    table.row("epoch", Epochs.inWords(job));
    if (job.start() > 1) {
      table.row("epochs", Epochs.inAll(job));
    }
    table.row("loss", Words.number(job.loss()));
    table.row("validation", JobPicture.metrics(job.metrics()));
    table.row("rounds", Integer.toString(job.round()));
    table.row("branches", Integer.toString(job.branches()));
    String clock = clock(job);
    table.row(
        "tuning",
        Words.seconds(job.tuningSeconds()) + clock + ", " + Words.percent(job.tuningShare()));
    table.row("training", Words.seconds(job.trainingSeconds()) + clock);
    table.row("evaluation", Words.seconds(job.evaluationSeconds()) + clock);
    double counted = job.tuningSeconds() + job.trainingSeconds() + job.evaluationSeconds();
    // A cost model knows of nothing else.
    table.row(
        "in all",
        Words.seconds(job.seconds())
            + (job.modelled()
                ? clock
                : ", "
                    + Words.seconds(Math.max(0, job.seconds() - counted))
                    + " of them for starts of workers and between clocks"));
    return table;
  }

  /// {@return what follows on seconds of a job that are not those of the wall clock; else empty}
  static String clock(JobView job) {
    return job.modelled() ? " by its cost model" : "";
  }

  /// Adds which model is the job's result, where it lies, and what its start began with.
  public static void addResult(
      Table table,
      JobView job,
      JobView.Result result,
      List<SnapshotView> snapshots,
      ScheduleView schedule) {
    table.row(
        "result",
        result(job, result.start(), result.epoch())
            + (result.value() == null ? "" : ": " + Words.number(result.value())));
    table.row("  lies at", place(result, snapshots));
    schedule.found().stream()
        .findFirst()
        .ifPresent(step -> table.row("  began with", Words.setting(step.setting())));
  }

  private static String place(JobView.Result result, List<SnapshotView> snapshots) {
    OptionalLong snapshot = result.snapshotAmong(snapshots);
    return "branch #"
        + result.branch()
        + ", clock "
        + result.clock()
        + (snapshot.isPresent()
            ? ", snapshot " + snapshot.getAsLong()
            : ", not in a snapshot that is ready");
  }

  private static String result(JobView job, int start, double epoch) {
    if (epoch == 0) {
      return "the model before its first clock: nothing was trained";
    }
    return "the model of epoch "
        + Epochs.inWords(epoch, start, job)
        + (PolicyName.WITH_LAST_AS_RESULT.contains(job.policy()) ? ", the last" : ", the best");
  }

  /// Adds what random search would have cost, if the job tried settings at all.
  public static void addBill(Table table, BillView bill) {
    if (bill.settings() > 1) {
      table.row("random search", inWords(bill) + "; see: espalier job bill " + bill.job());
    }
  }

  /// {@return the counterfactual bill of a job with its assumptions}
  public static List<String> bill(BillView bill) {
    var lines = new ArrayList<String>();
    if (bill.settings() > 0) {
      lines.add("This job took " + Words.seconds(bill.jobSeconds()) + ".");
      lines.add("Random search would have taken " + inWords(bill) + ".");
      lines.add("");
    }
    bill.assumptions().forEach(sentence -> lines.add("- " + sentence));
    return lines;
  }

  private static String inWords(BillView bill) {
    double ratio = bill.jobSeconds() > 0 ? bill.seconds() / bill.jobSeconds() : 0;
    String low = Words.seconds(bill.lowSeconds());
    String high = Words.seconds(bill.highSeconds());
    return Words.seconds(bill.seconds())
        + (low.equals(high) ? "" : " (" + low + " to " + high + ")")
        + " for "
        + bill.settings()
        + " settings, "
        + Words.number(Math.round(ratio * 10) / 10.0)
        + " times this job";
  }

  /// {@return the settings of a schedule in rows, and how often the rate fell beside them}
  public static List<String> schedule(ScheduleView view) {
    var lines = new ArrayList<>(schedule(view.steps()).lines());
    lines.addAll(falls(Optional.ofNullable(view.result()), view.job()));
    return lines;
  }

  private static List<String> falls(Optional<ScheduleView.Result> result, String job) {
    long falls =
        result.stream()
            .flatMap(known -> known.steps().stream())
            .filter(step -> step.cooldown() != null)
            .count();
    return falls == 0
        ? List.of()
        : List.of(
            "The learning rate fell to zero "
                + (falls == 1 ? "once" : falls + " times")
                + " on the way to the result, at the end of each lap. That way exactly, as a job file:",
            "espalier schedule export " + job + " --format job");
  }

  /// {@return a schedule, one row per setting}
  private static Table schedule(List<ScheduleView.Step> steps) {
    return settings(
        List.of("from clock", "from epoch", "branch"),
        steps,
        step ->
            List.of(
                Long.toString(step.fromClock()),
                Words.number(Math.round(step.fromEpoch() * 100) / 100.0),
                "#" + step.branch()),
        ScheduleView.Step::setting);
  }

  /// {@return steps in rows: what is said of each, and its setting}
  private static <T> Table settings(
      List<String> headers,
      List<T> steps,
      Function<T, List<String>> said,
      Function<T, Map<String, Double>> setting) {
    var names = new TreeSet<String>();
    steps.forEach(step -> names.addAll(setting.apply(step).keySet()));
    var all = new ArrayList<>(headers);
    all.addAll(names);
    var table = new Table(all);
    for (T step : steps) {
      var cells = new ArrayList<>(said.apply(step));
      names.forEach(name -> cells.add(Words.number(setting.apply(step).get(name))));
      table.row(cells);
    }
    return table;
  }

  /// {@return how a job ended: the schedule found, the quality reached, time and share of tuning}
  public static List<String> end(JobBoard board, Terminal terminal) {
    JobView job = board.job();
    var lines = new ArrayList<String>();
    lines.add("");
    Style style = job.state() == JobState.COMPLETED ? Style.GREEN : Style.RED;
    lines.add(
        terminal.styled(style, job.state().name())
            + (job.message().isEmpty() ? "" : ": " + job.message()));
    boolean hasTrained = job.mainlineClock() > 0 || board.result().isPresent();
    if (hasTrained && !board.schedule().isEmpty()) {
      lines.add("");
      lines.add(terminal.styled(Style.BOLD, "Schedule found"));
      found(board).lines().forEach(row -> lines.add("  " + row));
      falls(board.result(), job.id()).forEach(row -> lines.add("  " + row));
    }
    lines.add("");
    lines.add(terminal.styled(Style.BOLD, "Result"));
    result(board).lines().stream().skip(1).forEach(row -> lines.add("  " + row));
    return lines;
  }

  /// {@return the settings that led to the model that was kept: those of the mainline, or of the
  /// path that it left since}
  private static Table found(JobBoard board) {
    List<ScheduleView.Step> steps = board.schedule();
    var path = new ArrayList<ScheduleView.ResultStep>();
    for (ScheduleView.ResultStep step :
        board.result().map(ScheduleView.Result::steps).orElse(List.of())) {
      if (path.isEmpty() || !path.getLast().setting().equals(step.setting())) {
        path.add(step);
      }
    }
    boolean isOfMainline =
        path.size() <= steps.size()
            && IntStream.range(0, path.size())
                .allMatch(i ->
                    path.get(i).fromClock() == steps.get(i).fromClock()
                        && path.get(i).setting().equals(steps.get(i).setting()));
    return isOfMainline
        // What came after the model that was kept did not lead to it.
        ? schedule(path.isEmpty() ? steps : steps.subList(0, path.size()))
        : settings(
            List.of("from clock"),
            path,
            step -> List.of(Long.toString(step.fromClock())),
            ScheduleView.ResultStep::setting);
  }

  private static Table result(JobBoard board) {
    JobView job = board.job();
    var table = new Table("field", "value");
    Optional<EvaluationView> kept = board.resultEvaluation();
    var values =
        new TreeMap<String, @Nullable Double>(
            kept.isPresent() ? kept.get().metrics() : job.metrics());
    values.forEach((name, value) -> table.row(name, Words.number(value) + range(board, name)));
    kept.ifPresent(
        evaluation -> table.row("kept", result(job, evaluation.start(), evaluation.epoch())));
    table.row("training loss", Words.number(job.loss()));
    table.row("epochs", Epochs.inAll(job));
    Instant end = job.endTime() == null ? job.since() : job.endTime();
    table.row(
        job.modelled() ? "wall time" : "time",
        Words.seconds(Duration.between(job.createTime(), end).toMillis() / 1000.0));
    table.row(
        "tuning",
        Words.percent(job.tuningShare())
            + " of the time: "
            + Words.seconds(job.tuningSeconds())
            + " tuning, "
            + Words.seconds(job.trainingSeconds())
            + " training, "
            + Words.seconds(job.evaluationSeconds())
            + " evaluation"
            + (job.modelled() ? "," + clock(job) : ""));
    if (job.round() > 0) {
      table.row("rounds", Integer.toString(job.round()));
    }
    long settings = settingsTried(board);
    if (settings > 1) {
      table.row("settings", settings + " tried");
    }
    return table;
  }

  /// Counts as the bill does: what was trained with, whether it raced, ran or stood from the start.
  private static long settingsTried(JobBoard board) {
    return board.branches().values().stream()
        .filter(branch -> branch.clocks() > 0 && branch.kind() != BranchKind.EVALUATION)
        .map(BranchView::setting)
        .distinct()
        .count();
  }

  private static String range(JobBoard board, String metric) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (EvaluationView evaluation : board.evaluations()) {
      Double value = evaluation.metrics().get(metric);
      if (value != null && Double.isFinite(value)) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
    }
    return max > min
        ? " (over the job between " + Words.number(min) + " and " + Words.number(max) + ")"
        : "";
  }
}
