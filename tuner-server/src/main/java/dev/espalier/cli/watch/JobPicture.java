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

/// Draws a job as lines of text.
final class JobPicture {
  private static final int BRANCHES_SHOWN = 10;
  private static final int FEWEST_BRANCHES = 2;
  private static final int DECISIONS_SHOWN = 4;
  private static final int LABEL = 12;

  private final Terminal terminal;

  JobPicture(Terminal terminal) {
    this.terminal = terminal;
  }

  /// {@return the picture, with as many branches as there is room for}
  ///
  /// @param note what to say of the connection; empty when it stands
  List<String> draw(JobBoard board, Instant now, String note) {
    List<String> whole = draw(board, now, note, BRANCHES_SHOWN);
    int excess = whole.size() + 1 - terminal.size().rows();
    if (excess <= 0) {
      return whole;
    }
    int tried = board.latestRound().map(round -> trials(board, round).size()).orElse(0);
    // Where some are left out, a line says so.
    int room = (tried > BRANCHES_SHOWN ? BRANCHES_SHOWN : tried - 1) - excess;
    return draw(board, now, note, Math.max(FEWEST_BRANCHES, room));
  }

  private List<String> draw(JobBoard board, Instant now, String note, int most) {
    JobView job = board.job();
    var lines = new ArrayList<String>();
    lines.add("");
    lines.add(
        terminal.styled(Style.BOLD, job.name())
            + "  "
            + terminal.styled(Style.DIM, job.id())
            + "  "
            + state(job.state()));
    lines.add(inWords(job));
    board.stalls().values().forEach(stall -> lines.add(terminal.styled(Style.YELLOW, stall)));
    if (!note.isEmpty()) {
      lines.add(terminal.styled(Style.YELLOW, note));
    }
    lines.add("");
    board.latestRound().ifPresent(round -> round(board, round, most, lines));
    mainline(board, lines);
    time(board, now, lines);
    decisions(board, lines);
    return lines;
  }

  private static String inWords(JobView job) {
    String words = job.message().isEmpty() ? job.reason() : job.message();
    return job.waitingFor().isEmpty()
        ? words
        : words.replaceFirst("\\.$", "") + "; waiting for " + job.waitingFor();
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
    lines.add(terminal.styled(Style.BOLD, roundInWords(round)));
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
        headers.add("probe loss");
      }
      headers.add("verdict");
      var table = new Table(headers);
      for (BranchView trial : shown(trials, most)) {
        table.row(cells(trial, names, hasSpeeds, hasLosses));
      }
      List<String> rows = table.lines();
      lines.add("  " + terminal.styled(Style.DIM, rows.getFirst()));
      rows.stream().skip(1).forEach(row -> lines.add("  " + coloured(row)));
      if (trials.size() > most) {
        lines.add(terminal.styled(Style.DIM, "  and " + (trials.size() - most) + " slower ones"));
      }
    }
    lines.add("");
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
      cells.add(Words.number(trial.heldOutLoss()));
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

  private void mainline(JobBoard board, List<String> lines) {
    JobView job = board.job();
    int room = Math.max(10, Math.min(60, terminal.size().columns() - LABEL - 40));
    List<Double> losses = board.losses();
    String curve = Sparkline.of(losses, room, terminal.hasUnicode());
    String figures = "loss " + Words.number(job.loss()) + ", epoch " + Epochs.inWords(job);
    lines.add(
        label("Mainline")
            + terminal.styled(Style.CYAN, curve)
            + (curve.isEmpty() ? "" : "  ")
            + figures);
    if (!job.setting().isEmpty()) {
      lines.add(label("Setting") + Words.setting(job.setting()));
    }
    List<EvaluationView> evaluations = board.evaluations();
    if (!evaluations.isEmpty()) {
      EvaluationView last = evaluations.getLast();
      last.metrics()
          .forEach((name, value) -> {
            List<Double> history =
                evaluations.stream()
                    .map(evaluation -> evaluation.metrics().get(name))
                    .map(each -> each == null ? Double.NaN : each)
                    .toList();
            lines.add(
                label("Validation")
                    + terminal.styled(
                        Style.CYAN, Sparkline.of(history, room, terminal.hasUnicode()))
                    + "  "
                    + name
                    + " "
                    + Words.number(value)
                    + ", epoch "
                    + Epochs.inWords(last.epoch(), last.start(), job));
          });
    }
  }

  private void time(JobBoard board, Instant now, List<String> lines) {
    JobView job = board.job();
    Instant end = job.endTime() == null ? now : job.endTime();
    double elapsed = Math.max(0, Duration.between(job.createTime(), end).toMillis() / 1000.0);
    int filled = (int) Math.round(20 * Math.clamp(job.tuningShare(), 0, 1));
    String bar = "#".repeat(filled) + ".".repeat(20 - filled);
    lines.add(
        label("Tuning")
            + "["
            + bar
            + "] "
            + Words.percent(job.tuningShare())
            + " of the time on "
            + job.branches()
            + " branches");
    lines.add(
        label("Time")
            + Words.seconds(elapsed)
            + (job.state().isTerminal() ? "" : Remaining.inWords(job, board.bounds())));
  }

  private void decisions(JobBoard board, List<String> lines) {
    List<DecisionView> last = board.lastDecisions(DECISIONS_SHOWN);
    if (last.isEmpty()) {
      return;
    }
    lines.add("");
    for (DecisionView decision : last) {
      lines.add(
          terminal.styled(Style.DIM, Words.clock(decision.time())) + "  " + decision.outcome());
    }
  }

  private String label(String text) {
    return terminal.styled(Style.DIM, text + " ".repeat(Math.max(1, LABEL - text.length())));
  }

  /// {@return the validation metrics of a job in words}
  static String metrics(Map<String, ? extends Double> metrics) {
    var words = new ArrayList<String>();
    metrics.forEach((name, value) -> words.add(name + " " + Words.number(value)));
    return words.isEmpty() ? "-" : String.join(", ", words);
  }
}
