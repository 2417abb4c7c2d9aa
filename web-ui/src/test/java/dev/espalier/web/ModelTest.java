package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ModelTest {
  private PageModules modules;
  private Value page;
  private Value model;

  @BeforeEach
  void startEmpty() {
    modules = new PageModules();
    page = modules.load("model.js");
    model = page.invokeMember("emptyModel");
  }

  @AfterEach
  void closeEngine() {
    modules.close();
  }

  @Test
  void mainlineIsTheChainOfWinnersCutAtEachFork() {
    branch(0, "null", "MAINLINE", 0, 0, 0);
    branch(2, "0", "TRIAL", 1, 0, 100);
    branch(5, "2", "TRIAL", 2, 80, 40);
    Value chain = page.invokeMember("mainlineChain", model.getMember("branches"), 5);
    assertThat(modules.text(chain))
        .isEqualTo(
            """
            [{"branch":0,"from":0,"to":0},{"branch":2,"from":0,"to":80},\
            {"branch":5,"from":80,"to":null}]\
            """);
  }

  @Test
  void mainlineLossLeavesOutWhatItsParentRanAfterTheFork() {
    branch(2, "null", "TRIAL", 1, 0, 20);
    branch(5, "2", "TRIAL", 2, 10, 10);
    series(2, 0, bucket(0, 10, "2.0"), bucket(10, 20, "1.9"));
    series(5, 10, bucket(0, 10, "1.5"));
    model.putMember("job", modules.json("{\"mainlineBranch\": 5}"));
    assertThat(modules.text(page.invokeMember("mainlinePoints", model)))
        .isEqualTo(
            "[{\"x\":5,\"y\":2,\"low\":2,\"high\":2},{\"x\":15,\"y\":1.5,\"low\":1.5,\"high\":1.5}]");
  }

  @Test
  void bucketsWithoutAFiniteLossAreNotDrawn() {
    series(3, 100, bucket(0, 10, "2.0"), bucket(10, 20, "null"));
    Value points = page.invokeMember("points", model.getMember("series").invokeMember("get", 3));
    assertThat(points.getArraySize()).isEqualTo(1);
    assertThat(points.getArrayElement(0).getMember("x").asInt()).isEqualTo(105);
  }

  @Test
  void joinedBucketsKeepTheMeanAndTheExtremes() {
    series(3, 0, bucket(0, 30, "1.0"), bucket(30, 40, "5.0"), bucket(40, 80, "2.0"));
    Value coarse =
        page.invokeMember("coarsen", model.getMember("series").invokeMember("get", 3), 40);
    Value first = coarse.getMember("buckets").getArrayElement(0);
    assertThat(coarse.getMember("buckets").getArraySize()).isEqualTo(2);
    assertThat(first.getMember("mean").asDouble()).isEqualTo(2.0);
    assertThat(first.getMember("max").asDouble()).isEqualTo(5.0);
    assertThat(first.getMember("toClock").asInt()).isEqualTo(40);
  }

  @Test
  void aWindowThatFollowsIsAppendedAndAGapAsksForTheSeries() {
    series(3, 0, bucket(0, 10, "2.0"));
    assertThat(window(3, bucket(10, 20, "1.9"))).isTrue();
    assertThat(wanted(3)).isFalse();
    assertThat(window(3, bucket(10, 20, "1.9"))).isFalse();
    assertThat(wanted(3)).isFalse();
    assertThat(window(3, bucket(30, 40, "1.7"))).isFalse();
    assertThat(wanted(3)).isTrue();
  }

  @Test
  void anOlderViewOfTheJobDoesNotReplaceANewerOne() {
    event("job.changed", "{\"version\": 7, \"state\": \"TRAINING\"}");
    assertThat(event("job.changed", "{\"version\": 6, \"state\": \"TUNING\"}")).isFalse();
    assertThat(model.getMember("job").getMember("state").asString()).isEqualTo("TRAINING");
  }

  @Test
  void aDecisionThatComesTwiceIsShownOnce() {
    event("decision.made", "{\"sequence\": 2}");
    event("decision.made", "{\"sequence\": 1}");
    event("decision.made", "{\"sequence\": 2, \"outcome\": \"again\"}");
    assertThat(modules.text(model.getMember("decisions")))
        .isEqualTo("[{\"sequence\":1},{\"sequence\":2,\"outcome\":\"again\"}]");
  }

  @Test
  void aChangedScheduleReplacesTheOneBefore() {
    event("schedule.changed", "{\"steps\": [{\"fromClock\": 0, \"branch\": 0}]}");
    event("schedule.changed", "{\"steps\": [{\"fromClock\": 0, \"branch\": 8}]}");
    assertThat(modules.text(model.getMember("steps")))
        .isEqualTo("[{\"fromClock\":0,\"branch\":8}]");
  }

  @Test
  void branchesAreRankedBySpeedWithTheWinnerFirstAndTheFailedLast() {
    branch(1, "0", "TRIAL", 1, 0, 10, "FAILED", "0.9");
    branch(2, "0", "TRIAL", 1, 0, 10, "KEPT", "0.4");
    branch(3, "0", "TRIAL", 1, 0, 10, "DISCARDED", "0.5");
    branch(4, "0", "TRIAL", 1, 0, 10, "RUNNING", "null");
    event("round.changed", "{\"round\": 1, \"winner\": 2}");
    Value ranked = page.invokeMember("ranked", model, 1);
    assertThat(modules.text(ranked.invokeMember("map", modules.script("b => b.branch"))))
        .isEqualTo("[2,3,4,1]");
  }

  @Test
  void lanesJoinStepsThatDoNotChangeTheirTunable() {
    Value steps =
        modules.json(
            """
            [{"fromClock": 0, "setting": {"learningRate": 0.1}},
             {"fromClock": 50, "setting": {"learningRate": 0.1}},
             {"fromClock": 80, "setting": {"learningRate": 0.01}}]\
            """);
    assertThat(modules.text(page.invokeMember("lane", steps, "learningRate", 120)))
        .isEqualTo(
            """
            [{"from":0,"to":80,"value":0.1},{"from":80,"to":120,"value":0.01}]\
            """);
  }

  @Test
  void aDivergedTrialDoesNotSquashTheMainline() {
    Value range =
        modules
            .script(
                """
                (page) => page.lossRange(
                    [{x: 0, y: 2, low: 2, high: 2}, {x: 10, y: 1, low: 1, high: 1}],
                    [{clip: true, line: [{x: 0, y: 2}, {x: 5, y: 900}]}],
                    [0, 10])\
                """)
            .execute(page);
    assertThat(range.getArrayElement(0).asDouble()).isEqualTo(1.0);
    assertThat(range.getArrayElement(1).asDouble()).isEqualTo(2.0);
  }

  private void branch(int number, String parent, String kind, int round, int fork, int clocks) {
    branch(number, parent, kind, round, fork, clocks, "MEASURED", "null");
  }

  private void branch(
      int number,
      String parent,
      String kind,
      int round,
      int fork,
      int clocks,
      String state,
      String speed) {
    event(
        "branch.changed",
        """
        {"branch": %d, "parent": %s, "kind": "%s", "round": %d, "forkClock": %d, "clocks": %d,
         "state": "%s", "speed": %s, "setting": {}}\
        """
            .formatted(number, parent, kind, round, fork, clocks, state, speed));
  }

  private static String bucket(int from, int to, String mean) {
    return """
    {"fromClock": %d, "toClock": %d, "seconds": 1, "min": %s, "max": %s, "mean": %s,
     "nonFinite": 0}\
    """
        .formatted(from, to, mean, mean, mean);
  }

  private void series(int branch, int fork, String... buckets) {
    Value series =
        modules.json(
            "{\"branch\": %d, \"forkClock\": %d, \"buckets\": [%s]}"
                .formatted(branch, fork, String.join(",", buckets)));
    model.getMember("series").invokeMember("set", branch, series);
  }

  private boolean window(int branch, String bucket) {
    return event("metric.window", bucket.replaceFirst("\\{", "{\"branch\": " + branch + ", "));
  }

  private boolean wanted(int branch) {
    return model.getMember("wanted").invokeMember("has", branch).asBoolean();
  }

  private boolean event(String type, String data) {
    return page.invokeMember("applyEvent", model, type, modules.json(data)).asBoolean();
  }
}
