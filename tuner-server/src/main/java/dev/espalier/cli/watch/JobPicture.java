package dev.espalier.cli.watch;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Verdict;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.cli.screen.Sparkline;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.cli.screen.Terminal.Style;
import dev.espalier.cli.screen.Words;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/// Draws a job as lines of text.
final class JobPicture {
  private static final int BRANCHES_SHOWN = 10;
  private static final int FEWEST_BRANCHES = 2;
  private static final int DECISIONS_SHOWN = 4;

  /// Lines that decisions may take; the last one is shown however many it takes.
  private static final int DECISION_LINES = 6;

  private static final int LABEL = 12;
  private static final int SHORTEST_CURVE = 8;
  private static final int LONGEST_CURVE = 60;

  private final Terminal terminal;

  JobPicture(Terminal terminal) {
    this.terminal = terminal;
  }

  /// {@return the picture, with as many branches and decisions as there is room for}
  ///
  /// @param note what to say of the connection; empty when it stands
  List<String> draw(JobBoard board, Instant now, String note) {
    int branches = BRANCHES_SHOWN;
    int decisionLines = DECISION_LINES;
    List<String> lines = draw(board, now, note, branches, decisionLines);
    while (lines.size() >= terminal.size().rows()
        && (branches > FEWEST_BRANCHES || decisionLines > 1)) {
      if (branches > FEWEST_BRANCHES) {
        branches--;
      } else {
        decisionLines--;
      }
      lines = draw(board, now, note, branches, decisionLines);
    }
    return lines;
  }

  private List<String> draw(JobBoard board, Instant now, String note, int most, int decisionLines) {
    JobView job = board.job();
    var lines = new ArrayList<String>();
    lines.add("");
    title(job, lines);
    lines.addAll(text("", inWords(job)));
    board.stall().ifPresent(stall -> warn("Stands still since " + inWords(stall), lines));
    board.stalls().values().forEach(stall -> warn(stall, lines));
    if (!note.isEmpty()) {
      warn(note, lines);
    }
    lines.add("");
    board.latestRound().ifPresent(round -> round(board, round, most, lines));
    mainline(board, lines);
    time(board, now, lines);
    decisions(board, decisionLines, lines);
    return lines;
  }

  private void warn(String words, List<String> lines) {
    text("", words).forEach(line -> lines.add(terminal.styled(Style.YELLOW, line)));
  }

  private void title(JobView job, List<String> lines) {
    String id = terminal.styled(Style.DIM, job.id()) + "  " + state(job.state());
    List<String> name = Words.wrapped(job.name() + "  " + job.id() + "  " + job.state(), columns());
    if (name.size() == 1) {
      lines.add(terminal.styled(Style.BOLD, job.name()) + "  " + id);
      return;
    }
    text("", job.name()).forEach(line -> lines.add(terminal.styled(Style.BOLD, line)));
    lines.add(id);
  }

  /// {@return columns of a line: the last one stays free, as some terminals break there}
  private int columns() {
    return terminal.size().columns() - 1;
  }

  /// {@return a text in as many lines as it takes, the first after `head`, the others below it}
  private List<String> text(String head, String words) {
    String indent = " ".repeat(head.length());
    List<String> lines = Words.wrapped(words, Math.max(1, columns() - head.length()));
    return IntStream.range(0, lines.size())
        .mapToObj(i -> (i == 0 ? terminal.styled(Style.DIM, head) : indent) + lines.get(i))
        .toList();
  }

  private static String inWords(JobView job) {
    String words = job.message().isEmpty() ? job.reason() : job.message();
    return job.waitingFor().isEmpty()
        ? words
        : words.replaceFirst("\\.$", "") + "; waiting for " + job.waitingFor();
  }

  /// {@return since when and why a job stands still}
  static String inWords(JobView.Stall stall) {
    return Words.day(stall.since()) + ": " + stall.reason();
  }

  private String state(JobState state) {
    Style style =
        switch (state) {
          case COMPLETED, TRAINING -> Style.GREEN;
          case TUNING -> Style.CYAN;
          case QUEUED, STARTING, PAUSED, STOPPING, CANCELED -> Style.YELLOW;
          case FAILED -> Style.RED;
        };
    return terminal.styled(style, state.name());
  }

  private static List<BranchView> trials(JobBoard board, RoundView round) {
    return board.branchesOf(round.round()).stream().filter(JobPicture::wasTried).toList();
  }

  private void round(JobBoard board, RoundView round, int most, List<String> lines) {
    List<BranchView> trials = trials(board, round);
    text("", roundInWords(round)).forEach(line -> lines.add(terminal.styled(Style.BOLD, line)));
    if (!trials.isEmpty()) {
      var names = new TreeSet<String>();
      trials.forEach(trial -> names.addAll(trial.setting().keySet()));
      var headers = new ArrayList<>(List.of("branch"));
      headers.addAll(names);
      boolean hasSpeeds = trials.stream().anyMatch(trial -> trial.speed() != null);
      headers.addAll(List.of("clocks", "time"));
      if (hasSpeeds) {
        headers.add("speed");
      }
      boolean hasLosses = trials.stream().anyMatch(trial -> trial.heldOutLoss() != null);
      if (hasLosses) {
        headers.add(Probes.name(trials));
      }
      headers.add("verdict");
      var table = new Table(headers).sparing(common(trials, names)).sparing("time", "clocks");
      for (BranchView trial : shown(trials, most)) {
        table.row(cells(trial, names, hasSpeeds, hasLosses));
      }
      List<String> rows = table.lines(columns() - 2);
      lines.add("  " + terminal.styled(Style.DIM, rows.getFirst()));
      rows.stream().skip(1).forEach(row -> lines.add("  " + coloured(row)));
      if (trials.size() > most) {
        lines.add(terminal.styled(Style.DIM, "  and " + (trials.size() - most) + " slower ones"));
      }
    }
    lines.add("");
  }

  /// {@return the tunables that have one value in all trials, which tells them not apart}
  private static String[] common(List<BranchView> trials, TreeSet<String> names) {
    return names.stream()
        .filter(
            name -> trials.stream().map(trial -> trial.setting().get(name)).distinct().count() == 1)
        .toArray(String[]::new);
  }

  /// A trial that wins becomes the mainline, and was tried none the less.
  static boolean wasTried(BranchView branch) {
    return branch.kind() == BranchKind.TRIAL
        || branch.kind() == BranchKind.MAINLINE && (branch.verdict() != null || branch.round() > 0);
  }

  static String roundInWords(RoundView round) {
    String kind =
        switch (round.trigger()) {
          case INITIAL -> "initial tuning";
          case RETUNE -> "re-tuning";
          case MANUAL -> "re-tuning by request";
        };
    String head = "Round " + round.round() + ", " + kind;
    if (!round.outcome().isEmpty()) {
      return head + ": " + round.outcome();
    }
    if (round.phase().equals("racing")) {
      return head
          + ": the setting so far races "
          + (round.trials() == 2 ? "another, " : (round.trials() - 1) + " others, ")
          + Words.seconds(round.trialSeconds())
          + " each";
    }
    String doing =
        switch (round.phase()) {
          case "probing" -> "measuring the starting loss";
          case "trial-time" -> "looking for the trial time";
          case "searching" -> "searching";
          default -> round.phase();
        };
    String most = round.trigger() == RoundTrigger.MANUAL ? "" : " of at most " + round.maxTrials();
    return head
        + ": "
        + doing
        + ", "
        + round.trials()
        + most
        + " trials, trial time "
        + (round.trialSeconds() > 0 ? Words.seconds(round.trialSeconds()) : "not yet known");
  }

  /// The fastest and what runs now, by number.
  private static List<BranchView> shown(List<BranchView> trials, int most) {
    if (trials.size() <= most) {
      return trials;
    }
    return trials.stream()
        .sorted(
            Comparator.comparing((BranchView trial) -> trial.verdict() != null)
                .thenComparing(trial -> -speedOf(trial)))
        .limit(most)
        .sorted(Comparator.comparingInt(BranchView::branch))
        .toList();
  }

  private static double speedOf(BranchView trial) {
    Double speed = trial.speed();
    return speed == null ? 0 : speed;
  }

  private static List<String> cells(
      BranchView trial, TreeSet<String> names, boolean hasSpeeds, boolean hasLosses) {
    var cells = new ArrayList<String>();
    cells.add("#" + trial.branch());
    names.forEach(name -> cells.add(Words.number(trial.setting().get(name))));
    cells.add(Long.toString(trial.clocks()));
    cells.add(Words.seconds(trial.seconds()));
    if (hasSpeeds) {
      cells.add(trial.speed() == null ? "-" : Words.number(trial.speed()) + "/s");
    }
    if (hasLosses) {
      cells.add(Probes.value(trial));
    }
    cells.add(verdict(trial));
    return cells;
  }

  static String verdict(BranchView branch) {
    Verdict verdict = branch.verdict();
    String judged = verdict == null ? "" : verdict.name().toLowerCase(Locale.ROOT);
    return switch (branch.state()) {
      case FORKING, WAITING -> judged.isEmpty() ? "waiting" : judged;
      case RUNNING -> judged.isEmpty() ? "running" : judged + ", runs on";
      case KEPT -> "kept";
      case LOST -> "lost with its workers";
      case MEASURED -> judged.isEmpty() ? "measured" : judged;
      case DISCARDED, FAILED -> judged.isEmpty() ? "discarded" : judged;
    };
  }

  private String coloured(String row) {
    if (row.endsWith("kept")) {
      return terminal.styled(Style.GREEN, row);
    }
    if (row.endsWith("diverged") || row.endsWith("workers")) {
      return terminal.styled(Style.RED, row);
    }
    return row.contains("running") || row.contains("runs on")
        ? terminal.styled(Style.CYAN, row)
        : row;
  }

  /// A line with a curve.
  private record Curve(String label, List<Double> values, String words) {}

  private void mainline(JobBoard board, List<String> lines) {
    JobView job = board.job();
    var curves = new ArrayList<Curve>();
    curves.add(
        new Curve(
            "Mainline",
            board.losses(),
            "loss " + Words.number(job.loss()) + ", epoch " + Epochs.inWords(job)));
    List<EvaluationView> evaluations = board.evaluations();
    if (!evaluations.isEmpty()) {
      EvaluationView last = evaluations.getLast();
      String epoch = ", epoch " + Epochs.inWords(last.epoch(), last.start(), job);
      last.metrics()
          .forEach((name, value) ->
              curves.add(
                  new Curve(
                      "Validation",
                      history(evaluations, name),
                      name + " " + Words.number(value) + epoch)));
    }
    int words = curves.stream().mapToInt(curve -> curve.words().length()).max().orElse(0);
    int room = Math.min(LONGEST_CURVE, columns() - LABEL - 2 - words);
    lines.addAll(drawn(curves.getFirst(), room));
    if (!job.setting().isEmpty()) {
      lines.addAll(text(label("Setting"), Words.setting(job.setting())));
    }
    curves.stream().skip(1).forEach(curve -> lines.addAll(drawn(curve, room)));
  }

  private static List<Double> history(List<EvaluationView> evaluations, String metric) {
    return evaluations.stream()
        .map(evaluation -> evaluation.metrics().get(metric))
        .map(each -> each == null ? Double.NaN : each)
        .toList();
  }

  /// Where there is room for it: what it ends at is told in words.
  private List<String> drawn(Curve curve, int room) {
    String line =
        room < SHORTEST_CURVE ? "" : Sparkline.of(curve.values(), room, terminal.hasUnicode());
    return line.isEmpty()
        ? text(label(curve.label()), curve.words())
        : List.of(
            terminal.styled(Style.DIM, label(curve.label()))
                + terminal.styled(Style.CYAN, line)
                + "  "
                + curve.words());
  }

  private void time(JobBoard board, Instant now, List<String> lines) {
    JobView job = board.job();
    Instant end = job.endTime() == null ? now : job.endTime();
    double elapsed = Math.max(0, Duration.between(job.createTime(), end).toMillis() / 1000.0);
    int filled = (int) Math.round(20 * Math.clamp(job.tuningShare(), 0, 1));
    String bar = "#".repeat(filled) + ".".repeat(20 - filled);
    lines.addAll(
        text(
            label("Tuning"),
            "["
                + bar
                + "] "
                + Words.percent(job.tuningShare())
                + " of the time on "
                + job.branches()
                + " branches"));
    lines.addAll(
        text(
            label("Time"),
            Words.seconds(elapsed)
                + (job.state().isTerminal() ? "" : Remaining.inWords(job, board.bounds()))));
  }

  /// The last ones that `most` lines hold.
  private void decisions(JobBoard board, int most, List<String> lines) {
    var shown = new ArrayList<String>();
    for (DecisionView decision : board.lastDecisions(DECISIONS_SHOWN).reversed()) {
      List<String> more = text(Words.clock(decision.time()) + "  ", decision.outcome());
      if (!shown.isEmpty() && shown.size() + more.size() > most) {
        break;
      }
      shown.addAll(0, more);
    }
    if (!shown.isEmpty()) {
      lines.add("");
      lines.addAll(shown);
    }
  }

  private static String label(String text) {
    return text + " ".repeat(Math.max(1, LABEL - text.length()));
  }

  /// {@return the validation metrics of a job in words}
  static String metrics(Map<String, ? extends Double> metrics) {
    var words = new ArrayList<String>();
    metrics.forEach((name, value) -> words.add(name + " " + Words.number(value)));
    return words.isEmpty() ? "-" : String.join(", ", words);
  }
}
