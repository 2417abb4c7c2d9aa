package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Parts of pages, as trees of elements.
final class PanelTest {
  private static final String JOB =
      """
      {"id": "j", "name": "demo", "state": "PAUSED", "policy": "asha", "message": "Paused.",
       "waitingFor": "", "createTime": "2026-01-02T03:04:05Z", "metrics": {}, "epoch": 1,
       "start": 1, "branches": 20000, "mainlineBranch": 3}\
      """;

  private PageModules modules;
  private Value model;

  @BeforeEach
  void openPage() {
    modules = new PageModules();
    modules.browser();
    model = modules.load("model.js").invokeMember("emptyModel");
    model.putMember("job", modules.json(JOB));
  }

  @AfterEach
  void closeEngine() {
    modules.close();
  }

  /// On a phone a drawing that had to be scrolled hid the names of its lines.
  @Test
  void linesLaidOverEachOtherFitAPhoneAndAreNamed() {
    Value traces =
        modules.json(
            """
            [{"label": "run-hyperband", "kind": "winner", "wild": false,
              "line": [{"x": 0, "y": 2}, {"x": 1, "y": 1}]},
             {"label": "run-pbt", "kind": "open", "wild": false,
              "line": [{"x": 0, "y": 2}, {"x": 3, "y": 1}]}]\
            """);
    Value words = modules.script("({unit: (x) => `${x} s`, label: 'Loss'})");

    Value drawing = modules.load("overlay.js").invokeMember("overlay", traces, words, 340);

    assertThat(words(drawing, "value")).isEqualTo("run-hyperbandhyperband|run-pbtpbt");
    Value svg = drawing.getMember("children").getArrayElement(0);
    assertThat(svg.getMember("props").getMember("viewBox").asString()).isEqualTo("0 0 340 320");
    assertThat(count(drawing, "compare-line is-winner line-0")).isEqualTo(2);
    assertThat(count(drawing, "compare-line is-open line-1")).isEqualTo(2);
  }

  /// Jobs of one comparison are named alike, but for what is compared.
  @Test
  void namesOfLinesSayWhatDiffers() {
    assertThat(names(14, "demo", "bpr racing")).isEqualTo("demo|bpr racing");
    assertThat(names(14, "bpr-cmp racing seed 1", "bpr-cmp asha seed 1")).isEqualTo("racing|asha");
    assertThat(names(14, "bpr-cmp racing seed 1", "bpr-cmp asha seed 2"))
        .isEqualTo("racing seed 1|asha seed 2");
    assertThat(names(9, "bpr-cmp racing seed 1", "bpr-cmp asha seed 2"))
        .isEqualTo("racing 1|asha 2");
    assertThat(names(9, "shop churn 1e-3", "shop churn 1e-4")).isEqualTo("1e-3|1e-4");
    assertThat(names(9, "bpr-cmp racing seed 1", "a long race", "bpr-cmp asha seed 1"))
        .isEqualTo("racing|a lo…race|asha");
    assertThat(names(9, "one and the same", "one and the same")).isEqualTo("one …same|one …same");
  }

  private String names(int longest, String... labels) {
    return modules
        .script("(page, labels, longest) => page.namesOf(labels.split('|'), longest).join('|')")
        .execute(modules.load("overlay.js"), String.join("|", labels), longest)
        .asString();
  }

  /// On a phone "6 min 40 s" ran into its neighbours.
  @Test
  void ticksOfALineDoNotRunIntoEachOther() {
    Value traces =
        modules.json(
            """
            [{"label": "a", "kind": "winner", "wild": false,
              "line": [{"x": 0, "y": 2}, {"x": 600, "y": 1}]}]\
            """);
    Value words = modules.script("({unit: (x) => `${x} seconds long`, label: 'Loss'})");
    Value overlay = modules.load("overlay.js");

    assertThat(count(overlay.invokeMember("overlay", traces, words, 340), "tick tick-x"))
        .isEqualTo(2);
    assertThat(count(overlay.invokeMember("overlay", traces, words, 1200), "tick tick-x"))
        .isGreaterThan(3);
  }

  @Test
  void theBestOfARowIsThatOfItsGoal() {
    assertThat(best("[0.3, 0.1, 0.1]", "least")).isEqualTo("[false,true,true]");
    assertThat(best("[0.3, null, 0.1]", "most")).isEqualTo("[true,false,false]");
    assertThat(best("[0.3, 0.1]", null)).isEqualTo("[]");
    assertThat(best("[0.1, 0.1]", "least")).isEqualTo("[]");
  }

  private String best(String values, String goal) {
    return modules.text(
        modules.load("compare-jobs.js").invokeMember("best", modules.json(values), goal));
  }

  private static final String JUDGES =
      "{\"mlp\": [{\"name\": \"accuracy\", \"goal\": \"MAXIMIZE\"}]}";

  /// Where there is no value nothing can be said of the order, whichever way it goes.
  @Test
  void jobsAreSortedByAColumnAndThoseWithoutAValueComeLast() {
    String jobs =
        """
        [{"name": "b", "loss": null, "createTime": "2026-01-03T00:00:00Z"},
         {"name": "a10", "loss": 0.5, "createTime": "2026-01-02T00:00:00Z"},
         {"name": "a9", "loss": 2, "createTime": "2026-01-01T00:00:00Z"}]\
        """;
    assertThat(sorted(jobs, "Loss", false)).isEqualTo("a10 a9 b");
    assertThat(sorted(jobs, "Loss", true)).isEqualTo("a9 a10 b");
    assertThat(sorted(jobs, "Job", false)).isEqualTo("a9 a10 b");
    assertThat(sorted(jobs, "Submitted", false)).isEqualTo("a9 a10 b");
  }

  private String sorted(String jobs, String name, boolean isDown) {
    return modules
        .script(
            "(page, jobs, name, isDown) =>"
                + " page.sorted(jobs, {name, isDown}, {}).map(one => one.name).join(' ')")
        .execute(modules.load("jobs-page.js"), modules.json(jobs), name, isDown)
        .asString();
  }

  @Test
  void theResultOfAJobNamesItsMetric() {
    String job =
        "{\"program\": \"mlp\", \"state\": \"%s\", \"result\": {\"value\": 0.944},"
            + " \"metrics\": {\"loss\": 0.3, \"accuracy\": 0.9}}";
    assertThat(result(job.formatted("COMPLETED"), JUDGES)).isEqualTo("0.944accuracy");
    assertThat(result(job.formatted("TRAINING"), JUDGES)).isEqualTo("0.900accuracy");
    assertThat(result(job.formatted("COMPLETED"), "{}")).isEqualTo("0.944result");
  }

  private String result(String job, String judges) {
    Value cell =
        modules
            .load("jobs-page.js")
            .invokeMember("resultCell", modules.json(job), modules.json(judges));
    return words(cell, "num result-cell");
  }

  private static final String TRIED =
      """
      {"branch": %d, "parent": 0, "kind": "TRIAL", "round": 1, "start": 1, "forkClock": 50,
       "clocks": 9, "seconds": %s, "verdict": null, "speed": null, "slope": null, "noise": null,
       "windowMeans": [], "windowSeconds": [], "heldOutLoss": %s, "heldOutMetric": null,
       "state": "%s", "setting": {}}\
      """;

  private void race(String phase, String winner, String outcome) {
    model.getMember("job").putMember("policy", "racing");
    addBranch(TRIED.formatted(2, "0.029", "0.55", "DISCARDED"));
    addBranch(TRIED.formatted(3, "0.112", "0.56", winner.equals("null") ? "MEASURED" : "KEPT"));
    Value round =
        modules.json(
            """
            {"round": 1, "trigger": "INITIAL", "phase": "%s", "parent": 0, "trials": 2,
             "maxTrials": 2, "trialSeconds": 0.248, "winner": %s, "outcome": "%s"}\
            """
                .formatted(phase, winner, outcome));
    model.getMember("rounds").invokeMember("set", 1, round);
  }

  private Value rounds() {
    Value view =
        modules.script(
            "({focus: null, open: new Map(), all: new Set(), allRounds: false,"
                + " brushes: new Map()})");
    return modules.load("evidence.js").invokeMember("roundsPanel", model, view, modules.json("{}"));
  }

  /// What was planned for the first rung is not what each ran.
  @Test
  void aRaceSaysHowLongItsEntrantsRan() {
    race("ended", "3", "Kept momentum 0.9: the race has run its 4 rungs");
    assertThat(words(rounds(), "round-state")).isEqualTo("2 branches, 29 ms to 112 ms");
  }

  @Test
  void anEntrantOfARaceIsMeasuredByItsProbeLoss() {
    race("racing", "null", "");
    assertThat(words(rounds(), "outcome")).isEqualTo("2 of 2 branches measured.");
  }

  /// Beside a lesser probe loss "adopted" would read as an error.
  @Test
  void anIncumbentThatNobodyBeatIsKeptAndTheReasonIsTold() {
    race("ended", "3", "Kept momentum 0.9: the race has run its 4 rungs");
    Value decisions =
        modules.json(
            """
            [{"rule": "racing.keep", "round": 1, "evidence": {"entrants": [
               {"branch": 3, "aboveLeader": 0},
               {"branch": 2, "aboveLeader": -0.01, "aboveLeaderUpper": 0.02}]}}]\
            """);
    assertThat(words(rounds(), "verdict is-winner")).isEqualTo("kept");
    assertThat(words(rounds(), "outcome")).doesNotContain("chance");

    model.putMember("decisions", decisions);
    assertThat(words(rounds(), "outcome"))
        .isEqualTo(
            "Kept momentum 0.9: the race has run its 4 rungs."
                + " The lesser probe loss of another is a difference within chance.");

    decisions
        .getArrayElement(0)
        .getMember("evidence")
        .getMember("entrants")
        .getArrayElement(1)
        .putMember("aboveLeaderUpper", -0.005);
    assertThat(words(rounds(), "outcome")).endsWith("did not show all that a race asks for.");
  }

  @Test
  void tryingASettingIsToldByItsPolicyAndForAllRungs() {
    Value dialogs = modules.load("dialogs.js");
    assertThat(dialogs.invokeMember("tryWords", "racing", false).asString())
        .contains("probe loss")
        .doesNotContain("faster");
    assertThat(dialogs.invokeMember("tryWords", "mltuner", false).asString())
        .contains("The faster one goes on");
    String job =
        "{\"policy\": \"%s\", \"tuningSeconds\": 10, \"trainingSeconds\": 80,"
            + " \"evaluationSeconds\": 10, \"mainlineClock\": 800}";
    String racing =
        "{\"population\": false, \"rounds\": [],"
            + " \"racing\": {\"trialClocks\": 8, \"trialShare\": 0.03}}";

    assertThat(tryCost(job.formatted("racing"), racing))
        .startsWith(
            "The first rung takes about 3.0 s of each of the two, all 4 that there may be 45 s:")
        .contains("together 6.0 s to 1 min 30 s, up to 47% of the job’s time by then")
        .contains("not bounded by the tuning budget");
    assertThat(
            tryCost(
                job.formatted("mltuner"),
                "{\"population\": false, \"rounds\": [{\"trialSeconds\": 5}], \"racing\": null}"))
        .contains("about 10 s for both branches, 9.1% of");
  }

  private String tryCost(String job, String known) {
    return modules
        .load("dialogs.js")
        .invokeMember("tryCost", modules.json(job), modules.json(known))
        .asString();
  }

  @Test
  void labelsOfRoundsAreShortenedBeforeTheyAreLeftOut() {
    assertThat(roundLabels(0, 20, 60)).isEqualTo("1|2|round 3");
    assertThat(roundLabels(0, 70)).isEqualTo("round 1|round 2");
    assertThat(roundLabels(0, 5, 10, 22)).isEqualTo("1|||round 4");
  }

  private String roundLabels(int... places) {
    return modules
        .script(
            "(page, places) =>"
                + " page.roundLabels(places.split(',').map((at, i) =>"
                + " ({round: i + 1, at: Number(at)}))).join('|')")
        .execute(
            modules.load("timeline.js"),
            Arrays.stream(places).mapToObj(String::valueOf).collect(Collectors.joining(",")))
        .asString();
  }

  @Test
  void theTreeHasLaterStartsBesideTheRoundsOfTheFirst() {
    race("ended", "3", "Kept momentum 0.9: the race has run its 4 rungs");
    String start =
        TRIED
            .replace("TRIAL", "MAINLINE")
            .replace("\"round\": 1", "\"round\": 0")
            .replace("\"start\": 1", "\"start\": 2");
    addBranch(start.formatted(7, "1", "null", "RUNNING"));
    addBranch(start.formatted(8, "1", "null", "RUNNING"));

    assertThat(words(tree(), "tree-start")).isEqualTo("start 2");
    assertThat(words(tree(), "tree-main")).isEqualTo("3|7");
    assertThat(words(tree(), "muted")).contains("what each round tried");
  }

  /// Nothing of a population is tried beside a mainline, and none of it falls at a speed.
  @Test
  void aPopulationIsNotToldAsRounds() {
    model.getMember("job").putMember("state", "TUNING");
    assertThat(words(tree(), "muted"))
        .isEqualTo("the run that leads, and the others of the population");
    assertThat(modules.load("model.js").invokeMember("isPopulationPolicy", "asha").asBoolean())
        .isTrue();
    assertThat(modules.load("model.js").invokeMember("isPopulationPolicy", "racing").asBoolean())
        .isFalse();
  }

  private Value tree() {
    Value view = modules.script("({focus: null, open: new Set(), all: false})");
    return modules.load("tree.js").invokeMember("treePanel", model, view, modules.json("{}"));
  }

  /// A start that was not evaluated yet has no values to draw, and no ends of an axis.
  @Test
  void aStartWithoutAResultHasAnEmptyStrip() {
    model.getMember("job").putMember("start", 2);
    model.putMember(
        "evaluations",
        modules.json(
            """
            [{"start": 1, "branch": 0, "leads": true, "mainlineClock": 9, "epoch": 1, "atSeconds": 1,
              "metrics": {"accuracy": 0.5}}]\
            """));
    Value view =
        modules.json("{\"log\": false, \"zoom\": null, \"round\": null, \"unit\": \"clock\"}");

    Value drawing = modules.load("timeline.js").invokeMember("plan", model, view, 900);

    assertThat(words(drawing.getMember("tree"), "panel-title")).contains("Validation accuracy");
    assertThat(modules.text(drawing.getMember("tree"))).doesNotContain("\"y\":null");
  }

  private int count(Value tree, String kind) {
    return words(tree, kind).split("\\|", -1).length;
  }

  /// What has ended promises nothing.
  @Test
  void jobThatEndedWithoutARoundSaysSo() {
    model.putMember("job", modules.json(JOB.replace("PAUSED", "FAILED").replace("asha", "racing")));
    Value nothing = modules.json("{\"open\": [], \"all\": false, \"people\": false}");
    Value view = modules.json("{\"allRounds\": false}");

    assertThat(
            words(
                modules
                    .load("evidence.js")
                    .invokeMember("roundsPanel", model, view, modules.json("{}")),
                "empty"))
        .isEqualTo("No round was run.");
    assertThat(
            words(
                modules
                    .load("evidence.js")
                    .invokeMember("decisionsPanel", model, nothing, modules.json("{}")),
                "empty"))
        .isEqualTo("No decision was taken.");
    assertThat(
            words(
                modules
                    .load("tree.js")
                    .invokeMember("treePanel", model, nothing, modules.json("{}")),
                "empty"))
        .isEqualTo("No branch was tried beside the mainline.");
  }

  /// The browser's clock is far from the server's.
  @Test
  void aWorkerThatWaitsIsNotAway() {
    Value feed =
        modules.json(
            """
            {"isStale": false, "workers": [
              {"worker": 0, "attached": true, "lastHeardTime": "2001-02-03T04:05:06Z", "stall": null},
              {"worker": 1, "attached": false, "lastHeardTime": "2031-02-03T04:05:06Z", "stall": null},
              {"worker": 2, "attached": false, "lastHeardTime": null, "stall": null},
              {"worker": 3, "attached": true, "lastHeardTime": "2001-02-03T04:05:06Z",
               "stall": "clock 7 has run for 61 s, and the longest before took 0.40 s"}]}\
            """);
    feed.putMember("model", model);
    Value head = headOf(feed);

    assertThat(words(head, "worker"))
        .containsPattern("^worker 0 last heard at 2001-02-03 ..:..:06");
    assertThat(words(head, "worker is-away"))
        .containsPattern(
            "^worker 1 away, last heard at 2031-02-03 ..:..:06\\|worker 2 not there yet");
    assertThat(words(head, "worker is-stalled"))
        .isEqualTo(
            "worker 3 stalls: clock 7 has run for 61 s, and the longest before took 0.40 s."
                + " Its log says where.");
  }

  /// Its state and message are those of before.
  @Test
  void aJobThatStandsStillSaysSinceWhenAndWhy() {
    Value apply = modules.load("model.js").getMember("applyEvent");
    apply.execute(
        model,
        "job.stalled",
        modules.json(
            "{\"stall\": {\"since\": \"2001-02-03T04:05:06Z\", \"reason\": \"no room\"}}"));
    apply.execute(model, "job.changed", modules.json(JOB.replace("PAUSED", "TRAINING")));
    Value feed = modules.json("{\"isStale\": false, \"workers\": []}");
    feed.putMember("model", model);

    assertThat(words(headOf(feed), "banner is-bad"))
        .containsPattern("^Stands still since 2001-02-03 ..:..:06: no room\\.$");

    apply.execute(model, "job.stalled", modules.json("{}"));

    assertThat(words(headOf(feed), "banner is-bad")).isEmpty();
  }

  private Value headOf(Value feed) {
    return modules
        .load("head.js")
        .invokeMember(
            "head",
            model.getMember("job"),
            feed,
            modules.json("{\"busy\": false, \"said\": null}"),
            modules.json("{}"));
  }

  /// What one first wants to know of a job that has ended.
  @Test
  void theResultIsToldWithItsSetting() {
    model
        .getMember("job")
        .putMember(
            "result",
            modules.json(
                "{\"start\": 1, \"branch\": 3, \"clock\": 9, \"epoch\": 1.5, \"value\": 0.9}"));
    model.putMember(
        "result",
        modules.json(
            """
            {"start": 1, "steps": [
              {"fromClock": 0, "setting": {"learningRate": 0.01, "batchSize": 64}},
              {"fromClock": 5, "setting": {"learningRate": 0.04, "batchSize": 64}}]}\
            """));
    addBranch("{\"branch\": 3, \"setting\": {\"learningRate\": 0.04, \"batchSize\": 64}}");
    addBranch("{\"branch\": 4, \"setting\": {\"learningRate\": 0.16, \"batchSize\": 16}}");
    Value feed = modules.json("{\"isStale\": false, \"workers\": []}");
    feed.putMember("model", model);

    Value head = headOf(feed);

    assertThat(words(head, "meta result"))
        .contains("learning rate 0.04 (began with 0.01), batch size 64");
  }

  private void addBranch(String branch) {
    Value view = modules.json(branch);
    model.getMember("branches").invokeMember("set", view.getMember("branch"), view);
  }

  private void addRun(int branch, String rate, String validation) {
    addBranch(
        """
        {"branch": %d, "parent": 0, "kind": "TRIAL", "round": 0, "setting": {"learningRate": %s},
         "state": "WAITING", "start": 1, "forkClock": 0, "clocks": 9, "seconds": 1,
         "verdict": null, "speed": null, "slope": null, "noise": null, "windowMeans": [],
         "windowSeconds": [], "heldOutLoss": null, "heldOutMetric": null, "validation": %s}\
        """
            .formatted(branch, rate, validation));
  }

  private static String best(String value) {
    return "{\"metric\": \"accuracy\", \"goal\": \"MAXIMIZE\", \"best\": %s, \"epoch\": 3}"
        .formatted(value);
  }

  @Test
  void aPopulationIsATableOfBestResults() {
    addRun(3, "0.01", best("0.9"));
    addRun(4, "0.04", "null");
    addRun(5, "0.16", best("0.5"));
    addRun(6, "0.16", best("0.7"));
    Value view = modules.script("({open: new Map(), all: new Set(), brushes: new Map()})");

    Value panel =
        modules.load("evidence.js").invokeMember("roundsPanel", model, view, modules.json("{}"));

    assertThat(words(panel, "num")).contains("Best accuracy");
    assertThat(words(panel, "branch-cell")).isEqualTo("3|6|5|4");
    assertThat(words(panel, "num")).contains("0.900 at epoch 3.00|").contains("0.500 at epoch");
  }

  @Test
  void theDrawerTellsTheBestResultOfItsBranch() {
    addRun(3, "0.01", best("0.5"));

    Value drawer =
        modules
            .load("drawer.js")
            .invokeMember(
                "drawer",
                model,
                3,
                null,
                modules.json("{\"compared\": [], \"busy\": false}"),
                modules.json("{}"));

    assertThat(words(drawer, "facts"))
        .isEqualTo("Best accuracy0.500on the validation data, at epoch 3.00");
  }

  @Test
  void jobsAreComparedByWhatLed() {
    Value course =
        modules.json(
            """
            {"evaluations": [
              {"branch": 1, "leads": true, "atSeconds": 1, "metrics": {"accuracy": 0.5}},
              {"branch": 2, "leads": false, "atSeconds": 2, "metrics": {"accuracy": 0.4}},
              {"branch": 2, "leads": true, "atSeconds": 3, "metrics": {"accuracy": 0.6}}]}\
            """);

    assertThat(
            modules.text(
                modules.load("courses.js").invokeMember("metricLine", course, "accuracy", "time")))
        .isEqualTo("[{\"x\":1,\"y\":0.5},{\"x\":3,\"y\":0.6}]");
  }

  @Test
  void comparedRunsShowTheirBestResults() {
    addRun(3, "0.01", best("0.5"));
    addRun(4, "0.04", best("0.9"));

    assertThat(modules.text(compare("[3, 4]", "[]")))
        .contains("Best accuracy", "\"0.500\"", "\"0.900\"");
  }

  @Test
  void theLastAxisOfAPopulationIsTheMetricThatJudgesIt() {
    addRun(3, "0.01", "null");
    addRun(4, "0.04", "null");
    assertThat(lastAxis()).isEqualTo("Clocks trained");

    addRun(4, "0.04", best("0.9"));
    model.putMember("revision", 1);
    assertThat(lastAxis()).isEqualTo("Best accuracy");

    addRun(3, "0.01", best("0.5"));
    Value inside =
        modules
            .load("parallel.js")
            .invokeMember(
                "isInside",
                modules.script("new Map([['validation', [0.8, 1]]])"),
                model.getMember("branches").invokeMember("get", 4));
    assertThat(inside.asBoolean()).isTrue();
  }

  private String lastAxis() {
    Value axes =
        modules
            .load("parallel.js")
            .invokeMember("axesOf", model, modules.load("model.js").invokeMember("trials", model));
    return axes.getArrayElement(axes.getArraySize() - 1).getMember("title").asString();
  }

  /// No line is said to differ where nobody knows from what.
  @Test
  void aConfigurationWithoutKnownDefaultsSaysSo() {
    Value config = modules.json("{\"program\": \"churn\", \"data\": \"shop\"}");
    Value panel = modules.load("documents.js").getMember("configPanel");

    assertThat(words(panel.execute(config, modules.script("undefined"), "j"), "muted"))
        .endsWith("which these are is not known any more");
    assertThat(words(panel.execute(config, modules.json("{\"program\": \"churn\"}"), "j"), "muted"))
        .endsWith("1 line differs from the defaults and is marked");
    assertThat(words(panel.execute(null, modules.script("undefined"), "j"), "muted"))
        .doesNotContain("not known");
  }

  @Test
  void aComparedBranchThatIsNotShownIsNamed() {
    model.putMember("leftOut", 9000);
    assertThat(words(compare("[17000]", "[]"), "empty"))
        .contains("Branch 17000 is being loaded. Take it out");
    assertThat(words(compare("[17000]", "[17000]"), "empty"))
        .contains("There is no branch 17000. Take it out");
    model.putMember("leftOut", 0);
    assertThat(words(compare("[17000]", "[]"), "empty")).contains("There is no branch 17000.");
    assertThat(modules.text(compare("[]", "[]"))).contains("\"max\":19999");
  }

  @Test
  void aModelIsOfferedWhereTheServerHasIt() {
    model
        .getMember("snapshots")
        .invokeMember(
            "set",
            1,
            modules.json(
                """
                {"snapshot": 1, "branch": 3, "start": 1, "mainlineClock": 9, "epoch": 1,
                 "setting": {}, "state": "READY", "sizeBytes": 100, "pinned": false,
                 "createTime": "2026-01-02T03:04:05Z"}\
                """));
    assertThat(snapshots()).contains("/model?snapshot=1").contains("1 on disk");
    model.getMember("job").putMember("launch", "EXTERNAL");
    assertThat(snapshots()).doesNotContain("/model").contains("1 beside the workers");
  }

  private String snapshots() {
    Value panel =
        modules
            .load("snapshots.js")
            .invokeMember(
                "snapshotsPanel",
                model,
                modules.json("{\"busy\": false, \"all\": false}"),
                modules.json("{}"));
    return modules.text(panel);
  }

  private Value compare(String chosen, String missing) {
    return modules
        .load("compare.js")
        .invokeMember(
            "comparePanel",
            model,
            modules.json(chosen),
            modules
                .script("(numbers) => ({ missing: new Set(numbers), room: 900 })")
                .execute(modules.json(missing)),
            modules.json("{}"));
  }

  /// {@return the texts of the elements of a class}
  private String words(Value tree, String kind) {
    return modules
        .script(
            """
            (tree, kind) => {
              const text = (one) => one.text + one.children.map(text).join('');
              const all = (one) => [one, ...one.children.flatMap(all)];
              return all(tree).filter((one) => one.props.class === kind).map(text).join('|');
            }\
            """)
        .execute(tree, kind)
        .asString();
  }
}
