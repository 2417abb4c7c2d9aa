package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

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

    assertThat(words(drawing, "value")).isEqualTo("run-…band|run-pbt");
    Value svg = drawing.getMember("children").getArrayElement(0);
    assertThat(svg.getMember("props").getMember("viewBox").asString()).isEqualTo("0 0 340 320");
    assertThat(count(drawing, "compare-line is-winner line-0")).isEqualTo(2);
    assertThat(count(drawing, "compare-line is-open line-1")).isEqualTo(2);
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
                modules.load("compare-jobs.js").invokeMember("metricLine", course, "accuracy")))
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
