package dev.espalier.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.cli.screen.Words;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.ObjectNode;

final class JobPictureTest {
  private static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

  private static JobBoard board(int trials) {
    Map<String, Object> job =
        Map.of(
            "id",
            "job_1",
            "name",
            "demo",
            "state",
            "TUNING",
            "message",
            "One.\nTwo.",
            "waitingFor",
            "",
            "createTime",
            START,
            "setting",
            Map.of(),
            "metrics",
            Map.of());
    var board = new JobBoard(Json.as(Json.tree(job), JobView.class));
    board.apply(
        "round.changed",
        Json.tree(
            Map.of(
                "round",
                1,
                "trigger",
                "INITIAL",
                "phase",
                "searching",
                "trials",
                trials,
                "maxTrials",
                24,
                "outcome",
                "")));
    for (int trial = 1; trial <= trials; trial++) {
      board.apply(
          "branch.changed",
          Json.tree(
              Map.of(
                  "branch",
                  trial,
                  "parent",
                  0,
                  "kind",
                  "TRIAL",
                  "round",
                  1,
                  "state",
                  "MEASURED",
                  "verdict",
                  "CONVERGING",
                  "speed",
                  1.0 * trial,
                  "setting",
                  Map.of(),
                  "windowMeans",
                  List.of())));
    }
    for (int decision = 1; decision <= 4; decision++) {
      board.apply(
          "decision.made",
          Json.tree(Map.of("sequence", decision, "outcome", "No. " + decision, "time", START)));
    }
    return board;
  }

  private static List<String> draw(int rows, int trials) {
    return draw(rows, 100, board(trials), "");
  }

  private static List<String> draw(int rows, int columns, JobBoard board, String note) {
    Terminal plain = Terminal.plain(System.out);
    var terminal = new Terminal(plain.out(), true, false, true, new Terminal.Size(rows, columns));
    return new JobPicture(terminal).draw(board, START, note);
  }

  @ParameterizedTest
  @CsvSource({"24,8,8", "24,9,7", "24,10,7", "24,11,7", "24,40,7", "26,11,9", "60,40,10", "10,8,2"})
  void showsAsManyBranchesAsThereIsRoomFor(int rows, int trials, int expected) {
    List<String> lines = draw(rows, trials);

    assertThat(lines).filteredOn(line -> line.contains("#")).hasSize(expected);
    if (rows >= 24) {
      assertThat(lines).hasSizeLessThan(rows);
    }
    assertThat(lines)
        .filteredOn(line -> line.contains("and " + (trials - expected) + " slower ones"))
        .hasSize(expected < trials ? 1 : 0);
    assertThat(lines.getLast()).endsWith("No. 4");
  }

  @Test
  void roomIsUsedUp() {
    assertThat(draw(24, 40)).hasSize(23);
  }

  /// What is cut off in a narrow terminal is what one looks for: the verdict, the reason, the end.
  @Test
  void nothingIsCutWhereATerminalIsNarrow() {
    JobBoard board = board(3);
    for (int trial = 1; trial <= 3; trial++) {
      board.apply("branch.changed", Json.tree(raced(trial)));
    }
    board.apply(
        "decision.made",
        Json.tree(
            Map.of(
                "sequence",
                5,
                "outcome",
                "Adopted branch #3 (batchSize 64, l2 0.0001, learningRate 0.03, momentum 0.5,"
                    + " staleness 0): all others were worse",
                "time",
                START)));

    List<String> lines =
        draw(
            40,
            60,
            board,
            "Lost the server (closed); trying again, the training goes on meanwhile.");

    assertThat(lines).allSatisfy(line -> assertThat(line).hasSizeLessThan(60));
    assertThat(lines)
        .filteredOn(line -> line.contains("#"))
        .anySatisfy(line -> assertThat(line).endsWith("discarded"));
    assertThat(String.join(" ", lines).replaceAll(" +", " "))
        .contains("training goes on meanwhile.")
        .contains("branch learningRate")
        .contains("staleness 0): all others were worse");
    assertThat(draw(16, 60, board, "").getLast()).endsWith("others were worse");
  }

  private static Map<String, Object> raced(int trial) {
    return Map.ofEntries(
        Map.entry("branch", trial),
        Map.entry("parent", 0),
        Map.entry("kind", "TRIAL"),
        Map.entry("round", 1),
        Map.entry("state", "DISCARDED"),
        Map.entry("heldOutLoss", 0.41),
        Map.entry("clocks", 1234),
        Map.entry("seconds", 2.5),
        Map.entry(
            "setting",
            Map.of(
                "batchSize",
                64,
                "l2",
                1e-4,
                "learningRate",
                trial / 100.0,
                "momentum",
                0.5,
                "staleness",
                0)),
        Map.entry("windowMeans", List.of()));
  }

  /// A stall grows as long as it lasts.
  @Test
  void eachWorkerThatStallsIsToldOnce() {
    JobBoard board = board(0);
    var log = new JobLog();

    assertThat(news(log, stalled(board, 1, "clock 7 has run for 61 s")))
        .anySatisfy(line -> assertThat(line).endsWith("worker 1 stalls: clock 7 has run for 61 s"));
    assertThat(news(log, stalled(board, 1, "clock 7 has run for 91 s"))).isEmpty();
    assertThat(news(log, stalled(board, 0, "clock 7 has run for 62 s")))
        .singleElement()
        .asString()
        .endsWith("worker 0 stalls: clock 7 has run for 62 s");
    assertThat(news(log, stalled(board, 1, ""))).isEmpty();
    assertThat(news(log, stalled(board, 1, "clock 9 has run for 61 s"))).hasSize(1);
  }

  /// Events of the job know nothing of it.
  @Test
  void aJobThatStandsStillSaysSinceWhenAndWhy() {
    JobBoard board = board(0);
    var log = new JobLog();
    news(log, board);
    var stall = Map.of("since", START, "reason", "the database has no room left on its disk");

    board.apply("job.stalled", Json.tree(Map.of("stall", stall)));
    board.apply("job.changed", Json.tree(board.job()));

    String words = Words.day(START) + ": the database has no room left on its disk";
    assertThat(draw(24, 100, board, "")).contains("Stands still since " + words);
    assertThat(news(log, board))
        .singleElement()
        .asString()
        .endsWith("stands still: the database has no room left on its disk");
    assertThat(news(log, board)).isEmpty();

    board.apply("job.stalled", Json.tree(Map.of()));

    assertThat(draw(24, 100, board, "").toString()).doesNotContain("tands still");
    assertThat(news(log, board)).singleElement().asString().endsWith("goes on again");
  }

  /// It is a decision, too, of which the watcher may hear before or after.
  @Test
  void howARoundEndedIsToldOnce() {
    for (boolean isDecisionFirst : new boolean[] {true, false}) {
      JobBoard board = board(0);
      var log = new JobLog();
      news(log, board);
      var told = new ArrayList<String>();
      Runnable decided =
          () ->
              board.apply(
                  "decision.made",
                  Json.tree(
                      Map.of("sequence", 5, "outcome", "Race 1: nobody won.", "time", START)));
      Runnable ended =
          () ->
              board.apply(
                  "round.changed", Json.tree(Map.of("round", 1, "outcome", "Race 1: nobody won.")));
      (isDecisionFirst ? decided : ended).run();
      told.addAll(news(log, board));
      (isDecisionFirst ? ended : decided).run();
      told.addAll(news(log, board));

      assertThat(told).singleElement().asString().endsWith(": Race 1: nobody won.");
    }
  }

  /// Whoever begins to watch late must not read the past as the present.
  @Test
  void thePastHasItsOwnTimeOrNone() {
    JobBoard board = board(2);
    var log = new JobLog();

    assertThat(log.news(board, START.plusSeconds(3600)))
        .noneSatisfy(line -> assertThat(line).startsWith(Words.clock(START.plusSeconds(3600))))
        .anySatisfy(line -> assertThat(line).startsWith("          round 1 starts"))
        .anySatisfy(line -> assertThat(line).startsWith(Words.clock(START) + "  decision"));

    board.apply("round.changed", Json.tree(Map.of("round", 2, "outcome", "")));
    assertThat(log.news(board, START.plusSeconds(3601)))
        .singleElement()
        .asString()
        .startsWith(Words.clock(START.plusSeconds(3601)) + "  round 2 starts");
  }

  /// What has no time stands first.
  @Test
  void thePastEndsWithWhatHoldsNow() {
    List<String> past = new JobLog().news(board(2), START.plusSeconds(3600));

    assertThat(past.stream().map(line -> line.substring(0, 8))).isSorted();
    assertThat(past.getFirst()).startsWith("     ");
  }

  /// A server whose clock is an hour behind must not put its lines before those told already.
  @Test
  void whatComesWhileWatchingHasTheTimeOfTheWatcher() {
    JobBoard board = board(2);
    var log = new JobLog();
    log.news(board, START.plusSeconds(3600));

    board.apply(
        "decision.made",
        Json.tree(Map.of("sequence", 99, "key", "end", "outcome", "over", "time", START)));

    assertThat(log.news(board, START.plusSeconds(3601)))
        .containsExactly(Words.clock(START.plusSeconds(3601)) + "  decision end: over");
  }

  /// A person went back to an older snapshot, and training came to the clock of the best model
  /// again.
  @Test
  void resultIsShownWithWhatItWasMeasuredAt() {
    JobBoard board = board(0);
    evaluation(board, 1, 0.25, 10);
    evaluation(board, 2, 0.75, 20);
    evaluation(board, 1, 0.5, 30);
    assertThat(board.resultEvaluation()).isEmpty();

    var job = (ObjectNode) Json.tree(board.job());
    job.set("result", Json.tree(new JobView.Result(1, 3, 100, 2, 0.25)));
    board.update(Json.as(job, JobView.class));

    assertThat(board.resultEvaluation().orElseThrow().metrics()).isEqualTo(Map.of("loss", 0.25));
    assertThat(board.evaluations()).hasSize(3);
  }

  /// A job may end on another path than that of its best model.
  @Test
  void scheduleFoundIsThatOfTheResult() {
    JobBoard board = board(1);
    var ended = (ObjectNode) Json.tree(board.job());
    ended.set("endTime", Json.tree(START.plusSeconds(60)));
    board.update(Json.as(ended, JobView.class));
    step(board, 0, 4, 0.6);
    board.apply("result.changed", Json.tree(result(step(0, 0.1), step(30, 0.2))));
    assertThat(found(board)).containsExactly("from clock  learningRate", "0  0.1", "30  0.2");

    step(board, 0, 1, 0.1);
    step(board, 30, 2, 0.2);
    step(board, 50, 3, 0.05);
    assertThat(found(board)).hasSize(3).last().asString().contains("30").contains("#2");
  }

  private static List<String> found(JobBoard board) {
    List<String> lines = JobSummary.end(board, Terminal.plain(System.out));
    int from = lines.indexOf("Schedule found") + 1;
    return lines.subList(from, lines.indexOf("Result") - 1).stream()
        .map(line -> line.strip().replaceAll(" {2,}", "  "))
        .toList();
  }

  private static void step(JobBoard board, long fromClock, int branch, double rate) {
    board.apply(
        "schedule.changed",
        Json.tree(new ScheduleView.Step(fromClock, 0, branch, Map.of("learningRate", rate))));
  }

  private static ScheduleView.ResultStep step(long fromClock, double rate) {
    return new ScheduleView.ResultStep(fromClock, Map.of("learningRate", rate), null);
  }

  private static ScheduleView.ResultChange result(ScheduleView.ResultStep... steps) {
    return new ScheduleView.ResultChange(1, 40, 2, 0, List.of(steps));
  }

  /// They are shown with their branches.
  @Test
  void resultsOfRunsBesideTheBestAreNotTakenForTheJobs() {
    JobBoard board = board(0);
    evaluation(board, 1, 0.5, 10);

    board.apply(
        "evaluation.made",
        Json.tree(new EvaluationView(1, 3, false, 100, 2, 20, Map.of("loss", 0.9))));

    assertThat(board.evaluations()).extracting(EvaluationView::atSeconds).containsExactly(10.0);
  }

  private static void evaluation(JobBoard board, int start, double loss, int atSeconds) {
    board.apply(
        "evaluation.made",
        Json.tree(new EvaluationView(start, 0, true, 100, 2, atSeconds, Map.of("loss", loss))));
  }

  private static JobBoard stalled(JobBoard board, int worker, String stall) {
    board.apply("worker.stalled", Json.tree(Map.of("worker", worker, "stall", stall)));
    return board;
  }

  private static List<String> news(JobLog log, JobBoard board) {
    return log.news(board, Instant.EPOCH);
  }
}
