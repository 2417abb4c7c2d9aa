package dev.espalier.cli.watch;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.cli.screen.Words;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Tells of a job in lines, each fact once. What is read first is of the past, and has the time
/// that the server keeps of it, if any; what comes later has the watcher's own: two clocks in one
/// column would put lines out of order.
final class JobLog {
  private boolean isFirst = true;
  private String lastState = "";
  private long lastDecision;
  private double lastEvaluation = -1;
  private Optional<String> stallTold = Optional.empty();
  private final Set<Integer> stallsTold = new HashSet<>();
  private final Map<Integer, String> roundsTold = new HashMap<>();
  private final Map<Integer, String> branchesTold = new HashMap<>();

  /// What rounds ended with that is to come as a decision, too.
  private final Set<String> endsTold = new HashSet<>();

  /// {@return what is new on `board`}
  List<String> news(JobBoard board, Instant now) {
    var lines = new ArrayList<Line>();
    JobView job = board.job();
    String state = job.state() + " " + job.reason();
    if (!state.equals(lastState)) {
      lastState = state;
      String message = job.message().isEmpty() ? "" : ": " + job.message();
      lines.add(new Line(job.since(), job.state() + message));
    }
    tellStall(board, lines);
    tellStalls(board, lines);
    Set<String> decided =
        board.decisions().stream().map(DecisionView::outcome).collect(Collectors.toSet());
    board.rounds().values().forEach(round -> round(round, decided, lines));
    board.branches().values().forEach(branch -> branch(branch, lines));
    for (DecisionView decision : board.decisions()) {
      if (decision.sequence() > lastDecision) {
        lastDecision = decision.sequence();
        if (!endsTold.remove(decision.outcome())) {
          lines.add(
              new Line(decision.time(), "decision " + decision.key() + ": " + decision.outcome()));
        }
      }
    }
    for (EvaluationView evaluation : board.evaluations()) {
      if (evaluation.atSeconds() > lastEvaluation) {
        lastEvaluation = evaluation.atSeconds();
        lines.add(
            new Line(
                null,
                "epoch "
                    + Epochs.inWords(evaluation.epoch(), evaluation.start(), job)
                    + ": "
                    + JobPicture.metrics(evaluation.metrics())
                    + " after "
                    + Words.seconds(evaluation.atSeconds())
                    + JobSummary.clock(job)));
      }
    }
    boolean isPast = isFirst;
    isFirst = false;
    if (isPast) {
      // What is known of the past ends with what holds now.
      lines.sort(
          Comparator.comparing(Line::time, Comparator.nullsFirst(Comparator.naturalOrder())));
    }
    return lines.stream()
        .map(line -> (isPast ? line.clock() : Words.clock(now)) + "  " + line.text())
        .toList();
  }

  /// @param time null where the server keeps none
  private record Line(@Nullable Instant time, String text) {
    private static final String NONE = " ".repeat(Words.clock(Instant.EPOCH).length());

    String clock() {
      return time == null ? NONE : Words.clock(time);
    }
  }

  private void tellStall(JobBoard board, List<Line> lines) {
    Optional<String> reason = board.stall().map(JobView.Stall::reason);
    if (!reason.equals(stallTold)) {
      stallTold = reason;
      lines.add(
          board
              .stall()
              .map(stall -> new Line(stall.since(), "stands still: " + stall.reason()))
              .orElse(new Line(null, "goes on again")));
    }
  }

  /// A stall grows as long as it lasts, and is told once.
  private void tellStalls(JobBoard board, List<Line> lines) {
    stallsTold.retainAll(board.stalls().keySet());
    board
        .stalls()
        .forEach((worker, sentence) -> {
          if (stallsTold.add(worker)) {
            lines.add(new Line(null, sentence));
          }
        });
  }

  /// How a round ended is a decision, too, which may be known before it or after it.
  private void round(RoundView round, Set<String> decided, List<Line> lines) {
    String outcome = round.outcome();
    String told = outcome.isEmpty() ? "started" : "ended";
    if (told.equals(roundsTold.put(round.round(), told)) || decided.contains(outcome)) {
      return;
    }
    if (outcome.isEmpty()) {
      lines.add(
          new Line(null, "round " + round.round() + " starts from branch #" + round.parent()));
    } else {
      endsTold.add(outcome);
      lines.add(new Line(null, "round " + round.round() + " ends: " + outcome));
    }
  }

  private void branch(BranchView branch, List<Line> lines) {
    if (!JobPicture.wasTried(branch) || branch.verdict() == null) {
      return;
    }
    // The winner runs on as the mainline; what its clocks come to then is no news of the trial.
    String told =
        branch.kind() == BranchKind.TRIAL ? branch.verdict() + " " + branch.clocks() : "won";
    if (!told.equals(branchesTold.put(branch.branch(), told))) {
      lines.add(
          new Line(
              null,
              "branch #"
                  + branch.branch()
                  + " ("
                  + Words.setting(branch.setting())
                  + "): "
                  + JobPicture.verdict(branch)
                  + (branch.speed() == null ? "" : ", speed " + Words.number(branch.speed()) + "/s")
                  + " after "
                  + branch.clocks()
                  + " clocks, "
                  + Words.seconds(branch.seconds())));
    }
  }
}
