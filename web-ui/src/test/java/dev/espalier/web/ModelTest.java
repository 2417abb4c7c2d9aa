package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.LongStream;
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
  void mainlineWindowsAreAppendedWhereTheyFollowAndElseAskedFor() {
    branch(5, "2", "MAINLINE", 2, 10, 10);
    mainline(5, bucket(0, 10, "2.0"));
    assertThat(window(5, bucket(0, 5, "1.5"))).isTrue();
    assertThat(window(5, bucket(0, 5, "1.5"))).isFalse();
    assertThat(wantsMainline()).isFalse();
    assertThat(mainlinePoints(1))
        .isEqualTo(
            "[{\"x\":5,\"y\":2,\"low\":2,\"high\":2},{\"x\":12.5,\"y\":1.5,\"low\":1.5,\"high\":1.5}]");
    assertThat(window(5, bucket(9, 12, "1.4"))).isFalse();
    assertThat(wantsMainline()).isTrue();
  }

  @Test
  void aJobThatWaitsIsPausedOrResumed() {
    assertThat(actions("QUEUED", "submitted")).isEqualTo("pause,cancel");
    assertThat(actions("QUEUED", "paused")).isEqualTo("resume,cancel");
    assertThat(actions("TRAINING", "training")).isEqualTo("retune,pause,cancel");
    assertThat(actions("COMPLETED", "converged")).isEmpty();
  }

  private String actions(String state, String reason) {
    Value job =
        modules.json(
            "{\"state\": \"%s\", \"reason\": \"%s\", \"policy\": \"racing\"}"
                .formatted(state, reason));
    Value actions = page.invokeMember("actions", job);
    return LongStream.range(0, actions.getArraySize())
        .mapToObj(i -> actions.getArrayElement(i).asString())
        .collect(Collectors.joining(","));
  }

  @Test
  void anotherMainlineBranchAsksForTheMainline() {
    event("job.changed", "{\"version\": 1, \"mainlineBranch\": 0}");
    assertThat(wantsMainline()).isFalse();
    event("job.changed", "{\"version\": 2, \"mainlineBranch\": 4}");
    assertThat(wantsMainline()).isTrue();
  }

  @Test
  void whatIsDrawnBelongsToTheStartOfTheMainline() {
    String trial =
        "{\"branch\": %d, \"parent\": 0, \"kind\": \"TRIAL\", \"round\": 1, \"start\": %d,"
            + " \"forkClock\": 0, \"clocks\": 9, \"seconds\": 1, \"state\": \"MEASURED\","
            + " \"setting\": {}, \"windowMeans\": [], \"windowSeconds\": []}";
    event("branch.changed", trial.formatted(1, 1));
    event("branch.changed", trial.formatted(2, 2));
    evaluation(1, 50, 1);
    evaluation(1, 100, 2);
    evaluation(2, 50, 3);
    event(
        "job.changed",
        "{\"version\": 1, \"mainlineBranch\": 2, \"start\": 1, \"mainlineClock\": 100}");
    assertThat(drawn("trialsOfStart", "branch")).isEqualTo("[1]");
    assertThat(drawn("evaluationsOfStart", "mainlineClock")).isEqualTo("[50,100]");

    event(
        "job.changed",
        "{\"version\": 2, \"mainlineBranch\": 2, \"start\": 2, \"mainlineClock\": 100}");
    assertThat(drawn("trialsOfStart", "branch")).isEqualTo("[2]");
    assertThat(drawn("evaluationsOfStart", "mainlineClock")).isEqualTo("[50]");
    assertThat(model.getMember("evaluations").getArraySize()).isEqualTo(3);
  }

  @Test
  void theResultIsFoundAmongSnapshotsAndEvaluations() {
    String snapshot =
        "{\"snapshot\": %d, \"branch\": %d, \"start\": %d, \"mainlineClock\": 50, \"state\": \"%s\"}";
    evaluation(1, 50, 1);
    evaluation(2, 50, 2);
    event("snapshot.changed", snapshot.formatted(1, 3, 1, "READY"));
    event("snapshot.changed", snapshot.formatted(2, 3, 1, "DROPPED"));
    event("snapshot.changed", snapshot.formatted(3, 4, 2, "READY"));
    assertThat(page.invokeMember("resultSnapshot", model).isNull()).isTrue();

    event(
        "job.changed",
        "{\"version\": 1, \"result\": {\"start\": 1, \"branch\": 3, \"clock\": 50, \"value\": 1}}");

    assertThat(page.invokeMember("resultSnapshot", model).getMember("snapshot").asInt())
        .isEqualTo(1);
    assertThat(page.invokeMember("resultMetrics", model).getMember("loss").asInt()).isEqualTo(1);

    evaluation(1, 50, 3);
    event("snapshot.changed", snapshot.formatted(4, 5, 1, "READY"));

    assertThat(page.invokeMember("resultSnapshot", model).getMember("snapshot").asInt())
        .as("the snapshot of the result, not of the clock where the mainline came again")
        .isEqualTo(1);
    assertThat(page.invokeMember("resultMetrics", model).getMember("loss").asInt()).isEqualTo(1);
  }

  /// Results at 50 and 70 are of a run that lost the lead, as that at 60 is.
  @Test
  void resultsOfAStretchThatTheMainlineLeftAreNotDrawn() {
    event(
        "job.changed",
        "{\"version\": 1, \"mainlineBranch\": 2, \"start\": 1, \"mainlineClock\": 100}");
    evaluation(1, 50, 1);
    evaluation(1, 60, 2);
    evaluation(1, 70, 3);
    event(
        "job.changed",
        "{\"version\": 2, \"mainlineBranch\": 3, \"start\": 1, \"mainlineClock\": 65}");
    assertThat(drawn("evaluationsOfStart", "mainlineClock")).isEqualTo("[50,60]");

    event(
        "job.changed",
        "{\"version\": 3, \"mainlineBranch\": 3, \"start\": 1, \"mainlineClock\": 100}");
    evaluation(1, 50, 4);
    evaluation(1, 90, 5);

    assertThat(drawn("evaluationsOfStart", "mainlineClock")).isEqualTo("[50,90]");
    assertThat(drawn("evaluationsOfStart", "atSeconds")).isEqualTo("[4,5]");
  }

  private void evaluation(int start, int clock, int seconds) {
    evaluation(start, "0", true, clock, seconds);
  }

  private void evaluation(int start, String branch, boolean leads, int clock, int seconds) {
    event(
        "evaluation.made",
        ("""
        {"start": %d, "branch": %s, "leads": %s, "mainlineClock": %d, "atSeconds": %d,
         "metrics": {"loss": %d}}\
        """)
            .formatted(start, branch, leads, clock, seconds, seconds));
  }

  private void run(int branch, int parent, int forkClock, String validation) {
    event(
        "branch.changed",
        ("""
        {"branch": %d, "parent": %d, "kind": "TRIAL", "round": 0, "start": 1, "forkClock": %d,
         "clocks": 9, "seconds": 1, "state": "WAITING", "setting": {}, "windowMeans": [],
         "windowSeconds": [], "speed": null, "heldOutLoss": null, "validation": %s}\
        """)
            .formatted(branch, parent, forkClock, validation));
  }

  /// Run 3 is a copy of run 1 from clock 50 on; what led meanwhile was run 2.
  @Test
  void theValidationOfAPopulationIsThatOfTheLineThatLeads() {
    run(1, 0, 0, "null");
    run(2, 0, 0, "null");
    run(3, 1, 50, "null");
    event(
        "job.changed",
        "{\"version\": 1, \"mainlineBranch\": 3, \"start\": 1, \"mainlineClock\": 100}");
    evaluation(1, "1", true, 50, 1);
    evaluation(1, "2", true, 50, 2);
    evaluation(1, "2", true, 80, 3);
    evaluation(1, "1", false, 100, 4);
    evaluation(1, "3", false, 75, 5);
    evaluation(1, "3", true, 100, 6);

    assertThat(drawn("evaluationsOfStart", "atSeconds")).isEqualTo("[1,5,6]");
    assertThat(drawn("mainlineEvaluations", "atSeconds")).isEqualTo("[1,5,6]");

    event(
        "job.changed",
        "{\"version\": 2, \"mainlineBranch\": 2, \"start\": 1, \"mainlineClock\": 100}");
    assertThat(drawn("evaluationsOfStart", "atSeconds")).isEqualTo("[2,3]");
  }

  @Test
  void ofARunThatWasNotWrittenDownIsKnownThatItLed() {
    run(1, 0, 0, "null");
    event(
        "job.changed",
        "{\"version\": 1, \"mainlineBranch\": 1, \"start\": 1, \"mainlineClock\": 100}");
    evaluation(1, "null", true, 50, 1);
    evaluation(1, "1", true, 100, 2);

    assertThat(drawn("evaluationsOfStart", "atSeconds")).isEqualTo("[1,2]");
  }

  /// Another run may have come to the result's clock and to its very value.
  @Test
  void theResultIsNoneOfARunBesideTheBest() {
    evaluation(1, "1", true, 50, 7);
    event(
        "evaluation.made",
        """
        {"start": 1, "branch": 2, "leads": false, "mainlineClock": 50, "atSeconds": 9,
         "metrics": {"loss": 7, "error": 1}}\
        """);
    event(
        "job.changed",
        "{\"version\": 1, \"result\": {\"start\": 1, \"branch\": 1, \"clock\": 50, \"value\": 7}}");

    assertThat(page.invokeMember("resultMetrics", model).hasMember("error")).isFalse();
  }

  @Test
  void runsOfAPopulationAreRankedByTheirBestResults() {
    String best = "{\"metric\": \"m\", \"goal\": \"%s\", \"best\": %s, \"epoch\": 2}";
    run(1, 0, 0, best.formatted("MINIMIZE", "0.5"));
    run(2, 0, 0, "null");
    run(3, 0, 0, best.formatted("MINIMIZE", "0.3"));
    run(4, 0, 0, best.formatted("MINIMIZE", "0.4"));
    event("job.changed", "{\"version\": 1, \"mainlineBranch\": 1, \"start\": 1}");
    assertThat(ranked()).as("the one that leads, then the best").isEqualTo("[1,3,4,2]");

    event("job.changed", "{\"version\": 2, \"mainlineBranch\": 9, \"start\": 1}");
    run(1, 0, 0, best.formatted("MAXIMIZE", "0.5"));
    run(3, 0, 0, best.formatted("MAXIMIZE", "0.3"));
    run(4, 0, 0, best.formatted("MAXIMIZE", "0.4"));
    assertThat(ranked()).isEqualTo("[1,4,3,2]");
  }

  private String ranked() {
    Value found = page.invokeMember("ranked", model, 0);
    return LongStream.range(0, found.getArraySize())
        .mapToObj(i -> found.getArrayElement(i).getMember("branch").toString())
        .collect(Collectors.joining(",", "[", "]"));
  }

  @Test
  void branchesThatWereLeftOutAreTakenIn() {
    event("round.changed", "{\"round\": 1, \"trials\": 2}");
    model.putMember("leftOut", 3);
    assertThat(isIncomplete(1)).isTrue();

    String trial =
        "{\"branch\": %d, \"parent\": 0, \"kind\": \"TRIAL\", \"round\": 1, \"clocks\": 9,"
            + " \"state\": \"MEASURED\", \"setting\": {}}";
    event("branch.changed", trial.formatted(1));
    page.invokeMember(
        "addBranches",
        model,
        modules.json("[" + trial.formatted(1) + "," + trial.formatted(2) + "]"));

    assertThat(isIncomplete(1)).isFalse();
    assertThat(model.getMember("leftOut").asInt()).isEqualTo(2);
  }

  @Test
  void runsOfAPopulationThatWereLeftOutAreMissed() {
    String run =
        "{\"branch\": %d, \"parent\": 0, \"kind\": \"TRIAL\", \"round\": 0, \"clocks\": 9,"
            + " \"state\": \"MEASURED\", \"setting\": {}}";
    event("branch.changed", run.formatted(1));
    model.putMember("leftOut", 1);
    assertThat(isIncomplete(0)).isTrue();

    page.invokeMember("addBranches", model, modules.json("[" + run.formatted(2) + "]"));
    assertThat(isIncomplete(0)).isFalse();
  }

  private boolean isIncomplete(int round) {
    return page.invokeMember("isIncomplete", model, round).asBoolean();
  }

  private String drawn(String function, String field) {
    Value found = page.invokeMember(function, model);
    return LongStream.range(0, found.getArraySize())
        .mapToObj(i -> found.getArrayElement(i).getMember(field).toString())
        .collect(Collectors.joining(",", "[", "]"));
  }

  @Test
  void bucketsWithoutAFiniteLossAreNotDrawn() {
    branch(0, "null", "MAINLINE", 0, 0, 20);
    mainline(0, bucket(0, 10, "2.0"), bucket(10, 20, "null"));
    assertThat(mainlinePoints(1)).isEqualTo("[{\"x\":5,\"y\":2,\"low\":2,\"high\":2}]");
  }

  @Test
  void aJudgedTrialIsDrawnByTheWindowsThatJudgedIt() {
    event(
        "branch.changed",
        """
        {"branch": 3, "parent": 0, "kind": "TRIAL", "round": 1, "forkClock": 100, "clocks": 40,
         "seconds": 2, "state": "MEASURED", "speed": 1, "setting": {},
         "windowMeans": [4, 3, null], "windowSeconds": [0, 1, 2]}\
        """);
    assertThat(wanted(3)).isFalse();
    assertThat(
            modules.text(
                page.invokeMember(
                    "whiskerPoints",
                    model,
                    model.getMember("branches").invokeMember("get", 3),
                    page.invokeMember("axisOf", model, "clock"))))
        .isEqualTo(
            "[{\"x\":100,\"y\":4,\"low\":4,\"high\":4},{\"x\":120,\"y\":3,\"low\":3,\"high\":3}]");
  }

  /// After a change of the batch size clocks are no measure of progress.
  @Test
  void epochsGoAsFarAsTheBatchIsLarge() {
    event(
        "schedule.changed",
        "{\"fromClock\": 0, \"fromEpoch\": 0, \"setting\": {\"batchSize\": 32}}");
    assertThat(epochsPerClock(32)).isZero();
    event(
        "schedule.changed",
        "{\"fromClock\": 100, \"fromEpoch\": 1, \"setting\": {\"batchSize\": 64}}");

    event(
        "job.changed",
        "{\"version\": 1, \"mainlineClock\": 200, \"epoch\": 3,"
            + " \"setting\": {\"batchSize\": 64}}");

    Value axis = page.invokeMember("axisOf", model, "epoch");
    assertThat(axis.invokeMember("at", 50).asDouble()).isEqualTo(0.5);
    assertThat(axis.invokeMember("at", 150).asDouble()).isEqualTo(2);
    assertThat(axis.invokeMember("at", 250).asDouble()).isEqualTo(4);
    assertThat(epochsPerClock(64)).isEqualTo(0.02);
    assertThat(epochsPerClock(16)).isEqualTo(0.005);
    event(
        "branch.changed",
        """
        {"branch": 3, "parent": 0, "kind": "TRIAL", "round": 1, "forkClock": 100, "clocks": 40,
         "seconds": 2, "state": "MEASURED", "setting": {"batchSize": 16}, "windowMeans": [4, 3],
         "windowSeconds": [1, 2]}\
        """);
    Value branch = model.getMember("branches").invokeMember("get", 3);
    assertThat(page.invokeMember("trialEnd", model, branch, axis).asDouble()).isEqualTo(1.2);
    assertThat(modules.text(page.invokeMember("ownLine", model, branch, "epoch")))
        .isEqualTo("[{\"x\":0.1,\"y\":4},{\"x\":0.2,\"y\":3}]");
    assertThat(modules.text(page.invokeMember("ownLine", model, branch, "clock")))
        .isEqualTo("[{\"x\":20,\"y\":4},{\"x\":40,\"y\":3}]");
  }

  private double epochsPerClock(int batch) {
    Value setting = modules.json("{\"batchSize\": %d}".formatted(batch));
    return page.invokeMember("epochsPerClock", model, setting).asDouble();
  }

  @Test
  void aTrialThatIsNotJudgedAsksForItsLosses() {
    branch(3, "0", "TRIAL", 1, 0, 40);
    assertThat(wanted(3)).isTrue();
  }

  /// A single clock after two buckets of ten: its loss says nothing of the means before.
  @Test
  void aShortLastBucketEndsNoLineInAJog() {
    branch(3, "0", "TRIAL", 1, 0, 21);
    Value branch = model.getMember("branches").invokeMember("get", 3);
    model
        .getMember("series")
        .invokeMember(
            "set",
            3,
            modules.json(
                "{\"branch\": 3, \"forkClock\": 0, \"buckets\": [%s]}"
                    .formatted(
                        String.join(
                            ",",
                            bucket(0, 10, "2.0"),
                            bucket(10, 20, "1.0"),
                            bucket(20, 21, "12.0")))));

    Value line = page.invokeMember("ownLine", model, branch);

    assertThat(line.getArraySize()).isEqualTo(2);
    assertThat(line.getArrayElement(1).getMember("y").asDouble()).isEqualTo(2.0);
  }

  /// Known with the measure itself: before anything was evaluated, and whatever its sign.
  @Test
  void whatJudgesARaceIsNamedByWhatItMeasures() {
    assertThat(probed("{\"heldOutLoss\": -0.92, \"heldOutMetric\": \"accuracy\"}"))
        .isEqualTo("{\"name\":\"Probe accuracy\",\"value\":0.92}");
    assertThat(probed("{\"heldOutLoss\": 0.4, \"heldOutMetric\": null}"))
        .isEqualTo("{\"name\":\"Probe loss\",\"value\":0.4}");
    assertThat(probed("{\"heldOutLoss\": -2.5, \"heldOutMetric\": null}"))
        .isEqualTo("{\"name\":\"Probe loss\",\"value\":-2.5}");
  }

  private String probed(String branch) {
    return modules.text(page.invokeMember("probed", modules.json(branch)));
  }

  @Test
  void joinedBucketsKeepTheMeanAndTheExtremes() {
    Value buckets =
        modules.json(
            "[%s]"
                .formatted(
                    String.join(
                        ",", bucket(0, 30, "1.0"), bucket(30, 40, "5.0"), bucket(40, 80, "2.0"))));
    Value coarse = page.invokeMember("coarsen", buckets, 40);
    Value first = coarse.getArrayElement(0);
    assertThat(coarse.getArraySize()).isEqualTo(2);
    assertThat(first.getMember("mean").asDouble()).isEqualTo(2.0);
    assertThat(first.getMember("max").asDouble()).isEqualTo(5.0);
    assertThat(first.getMember("toClock").asInt()).isEqualTo(40);
  }

  @Test
  void aWindowThatFollowsIsAppendedAndAGapAsksForTheSeries() {
    branch(3, "0", "TRIAL", 1, 0, 0);
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
  void earlierDecisionsThatWereAskedForOutliveASnapshot() {
    for (int sequence = 1; sequence <= 4; sequence++) {
      event("decision.made", "{\"sequence\": %d}".formatted(sequence));
    }
    snapshot("[{\"sequence\": 6}, {\"sequence\": 4}]");
    assertThat(decisions()).isEqualTo("[1,2,3,4,6]");
    assertThat(model.getMember("moreDecisions").asBoolean()).isFalse();

    // Those between are not known: what is shown has no hole.
    snapshot("[{\"sequence\": 90}, {\"sequence\": 91}]");
    assertThat(decisions()).isEqualTo("[90,91]");
    assertThat(model.getMember("moreDecisions").asBoolean()).isTrue();
  }

  @Test
  void decisionsThatComeByThemselvesAreBounded() {
    for (int sequence = 1; sequence <= 1100; sequence++) {
      event("decision.made", "{\"sequence\": %d}".formatted(sequence));
    }
    assertThat(model.getMember("decisions").getArraySize()).isEqualTo(1000);
    assertThat(decisions()).startsWith("[101,");
    assertThat(model.getMember("moreDecisions").asBoolean()).isTrue();
  }

  @Test
  void lossesOfABranchAreForgottenOnceItsWindowsAreDrawn() {
    branch(3, "0", "TRIAL", 1, 0, 20);
    series(3, 0, bucket(0, 20, "2.0"));
    event(
        "branch.changed",
        """
        {"branch": 3, "parent": 0, "kind": "TRIAL", "round": 1, "forkClock": 0, "clocks": 40,
         "state": "MEASURED", "setting": {}, "windowMeans": [4, 3], "windowSeconds": [0, 1]}\
        """);
    assertThat(model.getMember("series").getMember("size").asInt()).isZero();
    assertThat(wanted(3)).isFalse();
  }

  @Test
  void whatASnapshotLeavesOutIsAskedForAndAdded() {
    String snapshot =
        "{\"job\": {\"version\": 1}, \"branches\": [], \"schedule\": {\"steps\": []},"
            + " \"decisions\": [], \"moreDecisions\": false,"
            + " \"rounds\": [{\"round\": 2, \"phase\": \"racing\"}], \"roundsLeftOut\": %d,"
            + " \"evaluations\": [], \"evaluationsLeftOut\": 0,"
            + " \"snapshots\": [{\"snapshot\": 7}], \"snapshotsLeftOut\": 0}";
    event("snapshot", snapshot.formatted(0));
    assertThat(model.getMember("wantsPast").asBoolean()).isFalse();
    event("snapshot", snapshot.formatted(1));
    assertThat(model.getMember("wantsPast").asBoolean()).isTrue();

    page.invokeMember(
        "addPast",
        model,
        modules.script(
            "({rounds: [{round: 1}, {round: 2, phase: 'probing'}], evaluations: [],"
                + " snapshots: [{snapshot: 3}]})"));

    assertThat(model.getMember("wantsPast").asBoolean()).isFalse();
    assertThat(modules.text(modules.script("m => [...m.rounds.values()]").execute(model)))
        .isEqualTo("[{\"round\":1},{\"round\":2,\"phase\":\"racing\"}]");
    assertThat(modules.text(modules.script("m => [...m.snapshots.keys()]").execute(model)))
        .isEqualTo("[3,7]");
  }

  @Test
  void aNewStepReplacesThoseThatBeganLater() {
    event("schedule.changed", "{\"fromClock\": 0, \"branch\": 0}");
    event("schedule.changed", "{\"fromClock\": 5, \"branch\": 3}");
    event("schedule.changed", "{\"fromClock\": 9, \"branch\": 4}");
    event("schedule.changed", "{\"fromClock\": 5, \"branch\": 8}");
    assertThat(modules.text(model.getMember("steps")))
        .isEqualTo("[{\"fromClock\":0,\"branch\":0},{\"fromClock\":5,\"branch\":8}]");
  }

  @Test
  void aNewResultIsToldByWhatIsNewOfItsPath() {
    event("result.changed", "{\"clock\": 9, \"kept\": 0, \"steps\": [{\"fromClock\": 0}]}");
    event(
        "result.changed",
        "{\"clock\": 20, \"kept\": 1, \"steps\": [{\"fromClock\": 9}, {\"fromClock\": 12}]}");
    event("result.changed", "{\"clock\": 25, \"kept\": 2, \"steps\": [{\"fromClock\": 15}]}");
    assertThat(modules.text(model.getMember("result").getMember("steps")))
        .isEqualTo("[{\"fromClock\":0},{\"fromClock\":9},{\"fromClock\":15}]");
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
  void aRunThatAnotherPassedIsNoWinnerAndIsDrawnByItsLosses() {
    branch(0, "null", "MAINLINE", 0, 0, 0, "DISCARDED", "null");
    branch(1, "0", "TRIAL", 0, 0, 40, "KEPT", "null");
    branch(2, "0", "MAINLINE", 0, 0, 20, "KEPT", "null");
    assertThat(standing(1)).isEqualTo("open, best before");
    assertThat(standing(2)).isEqualTo("winner, adopted");

    branch(3, "0", "TRIAL", 1, 0, 20, "KEPT", "null");
    assertThat(standing(3)).isEqualTo("winner, adopted");
  }

  private String standing(int branch) {
    return modules
        .script(
            """
            (page, marks, model, number) => {
              const branch = model.branches.get(number);
              const kind = page.standing(branch, undefined);
              return `${kind}, ${marks.standingWords(branch, kind)}`;
            }\
            """)
        .execute(page, modules.load("marks.js"), model, branch)
        .asString();
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

  private void mainline(int branch, String... buckets) {
    model.putMember("job", modules.json("{\"mainlineBranch\": %d}".formatted(branch)));
    model.putMember(
        "mainline",
        modules.json(
            "[%s]"
                .formatted(
                    String.join(",", buckets).replace("{", "{\"branch\": " + branch + ", "))));
  }

  private String mainlinePoints(int clocks) {
    Value axis = page.invokeMember("axisOf", model, "clock");
    return modules.text(page.invokeMember("mainlinePoints", model, axis, clocks));
  }

  private boolean wantsMainline() {
    return model.getMember("wantsMainline").asBoolean();
  }

  private boolean window(int branch, String bucket) {
    return event("metric.window", bucket.replaceFirst("\\{", "{\"branch\": " + branch + ", "));
  }

  private boolean wanted(int branch) {
    return model.getMember("wanted").invokeMember("has", branch).asBoolean();
  }

  private void snapshot(String decisions) {
    event(
        "snapshot",
        """
        {"job": {"version": 1}, "branches": [], "rounds": [], "schedule": {"steps": []},
         "decisions": %s, "moreDecisions": true, "evaluations": []}\
        """
            .formatted(decisions));
  }

  private String decisions() {
    Value numbers = modules.script("list => list.map(one => one.sequence)");
    return modules.text(numbers.execute(model.getMember("decisions")));
  }

  private boolean event(String type, String data) {
    return page.invokeMember("applyEvent", model, type, modules.json(data)).asBoolean();
  }
}
