package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The link between a page and its job, in a browser whose clock, server and sight are moved by
/// hand.
final class FeedTest {
  private static final String JOB =
      """
      {"id": "j", "state": "%s", "version": %d, "mainlineBranch": %d}\
      """;
  private static final String OVERVIEW =
      """
      {"sequence": 7, "mainline": {"buckets": [{"fromClock": 0, "toClock": 10}]},
       "views": {"job": %s, "branches": [], "rounds": [], "schedule": {"steps": []},
                 "decisions": [], "evaluations": []}}\
      """;

  private PageModules modules;
  private Value browser;
  private Value feed;

  @BeforeEach
  void openPage() {
    modules = new PageModules();
    browser = modules.browser();
    answer("/jobs/j", job("TRAINING", 1, 0));
    answer("/overview", OVERVIEW.formatted(job("TRAINING", 1, 0)));
    feed =
        modules
            .script("(module) => new module.JobFeed('j', () => globalThis.drawn++)")
            .execute(modules.load("feed.js"));
    modules.script("globalThis.drawn = 0");
  }

  @AfterEach
  void closeEngine() {
    modules.close();
  }

  @Test
  void aSessionThatEndedWhileTheServerWasAwayIsNoticed() {
    openLive();
    serverAnswers(0);
    link().invokeMember("lost", false);
    assertThat(text("link")).isEqualTo("reconnecting");
    assertThat(feed.getMember("error").isNull()).isTrue();

    serverAnswers(401);
    link().invokeMember("lost", true);
    settle();
    assertThat(feed.getMember("error").getMember("status").asInt()).isEqualTo(401);
    assertThat(openLinks()).isZero();
    assertThat(browser.invokeMember("timers").asInt()).isZero();
  }

  @Test
  void aLinkThatIsRefusedForAWhileIsTriedAgain() {
    openLive();
    serverAnswers(503);
    link().invokeMember("lost", true);
    settle();
    assertThat(feed.getMember("error").isNull()).isTrue();
    advance(2500);
    assertThat(links()).isEqualTo(2);
    assertThat(link().getMember("path").asString()).endsWith("/jobs/j/events?after=7");
  }

  @Test
  void aJobThatIsQuietIsNotReadAnewAndADeadLinkIsReplaced() {
    openLive();
    for (int i = 0; i < 8; i++) {
      link().invokeMember("tell", "ping", modules.json("{}"));
      advance(15_000);
    }
    assertThat(asked("/overview")).isEqualTo(1);
    assertThat(links()).isEqualTo(1);
    advance(30_000);
    assertThat(links()).isEqualTo(2);
    assertThat(openLinks()).isEqualTo(1);
    assertThat(asked("/overview")).isEqualTo(1);
  }

  @Test
  void aHiddenPageGivesItsLinkAwayAndGoesOnWhereItWas() {
    openLive();
    link()
        .invokeMember(
            "tell",
            "job.changed",
            modules.json("{\"sequence\": 12, \"data\": %s}".formatted(job("TRAINING", 2, 0))));
    browser.invokeMember("hide", true);
    assertThat(openLinks()).isZero();
    int requests = asked("");
    advance(60_000);
    assertThat(asked("")).isEqualTo(requests);

    browser.invokeMember("hide", false);
    assertThat(openLinks()).isEqualTo(1);
    assertThat(link().getMember("path").asString()).endsWith("/events?after=12");
    assertThat(asked("/overview")).isEqualTo(1);
  }

  /// A page that is hidden and seen again while it loads asks a second time.
  @Test
  void anAnswerThatALaterOneHasOvertakenIsNotTaken() {
    modules.script("(browser) => (browser.held = [])").executeVoid(browser);
    feed.invokeMember("open");
    answer("/overview", OVERVIEW.formatted(job("TRAINING", 2, 0)).replace("7", "8"));
    feed.invokeMember("open");

    Value give =
        modules.script("(browser, number) => (browser.held.splice(number, 1)[0](), undefined)");
    give.executeVoid(browser, 1);
    settle();
    give.executeVoid(browser, 0);
    settle();

    assertThat(feed.getMember("model").getMember("job").getMember("version").asInt()).isEqualTo(2);
    assertThat(links()).isEqualTo(1);
    assertThat(link().getMember("path").asString()).endsWith("/events?after=8");
  }

  @Test
  void aPageThatIsOpenedWhileTheServerIsOverburdenedTriesAgain() {
    serverAnswers(503);
    feed.invokeMember("open");
    settle();
    assertThat(feed.getMember("loaded").asBoolean()).isFalse();
    serverAnswers(200);
    advance(3500);
    assertThat(feed.getMember("loaded").asBoolean()).isTrue();
    assertThat(feed.getMember("error").isNull()).isTrue();
    assertThat(openLinks()).isEqualTo(1);
  }

  @Test
  void aJobThatHasEndedIsDrawnNoMore() {
    openLive();
    link()
        .invokeMember(
            "tell",
            "job.changed",
            modules.json("{\"sequence\": 8, \"data\": %s}".formatted(job("COMPLETED", 2, 0))));
    advance(1000);
    advance(1000);
    int drawn = drawn();
    advance(1000);
    advance(1000);
    assertThat(drawn()).isEqualTo(drawn);

    // A lost link is told all the same, with how long it has been lost.
    link().invokeMember("lost", false);
    advance(5000);
    assertThat(drawn()).isGreaterThan(drawn);
    assertThat(feed.getMember("isStale").asBoolean()).isTrue();
  }

  @Test
  void thePartThatIsLookedAtIsReadAnewWhenTheMainlineIsAnotherBranch() {
    openLive();
    answer("/mainline", "{\"buckets\": [{\"fromClock\": 2, \"toClock\": 3, \"branch\": 0}]}");
    feed.invokeMember("lookAt", modules.json("[2, 3]"));
    settle();
    assertThat(model("detail")).contains("\"branch\":0");

    answer("/mainline", "{\"buckets\": [{\"fromClock\": 2, \"toClock\": 9, \"branch\": 4}]}");
    link()
        .invokeMember(
            "tell",
            "job.changed",
            modules.json("{\"sequence\": 9, \"data\": %s}".formatted(job("TRAINING", 2, 4))));
    assertThat(model("detail")).doesNotContain("\"branch\":0");
    advance(1500);
    settle();
    assertThat(asked("from=2&to=4")).isEqualTo(2);
    assertThat(model("detail")).contains("\"branch\":4");
  }

  @Test
  void branchesThatWereLeftOutAreReadPageByPage() {
    openLive();
    feed.getMember("model").putMember("leftOut", 2);
    String run =
        "{\"branch\": %d, \"parent\": 0, \"kind\": \"TRIAL\", \"round\": 0, \"clocks\": 0}";
    answer(
        "/branches?round=0",
        "{\"items\": [%s], \"nextPageToken\": \"a b\"}".formatted(run.formatted(1)));
    answer("&pageToken=a%20b", "{\"items\": [%s]}".formatted(run.formatted(2)));

    feed.invokeMember("completeRound", 0);
    settle();
    settle();

    assertThat(asked("/branches?round=0")).isEqualTo(2);
    assertThat(feed.getMember("model").getMember("branches").getMember("size").asInt())
        .isEqualTo(2);
    assertThat(feed.getMember("model").getMember("leftOut").asInt()).isZero();
  }

  @Test
  void lossesAreReadOfAJobThatIsAtRestToo() {
    answer("/overview", OVERVIEW.formatted(job("COMPLETED", 1, 0)));
    openLive();
    advance(1000);
    advance(1000);
    assertThat(browser.invokeMember("timers").asInt()).isZero();
    String branch =
        "{\"branch\": 7, \"parent\": 0, \"kind\": \"MAINLINE\", \"round\": 1, \"clocks\": 29}";
    modules
        .load("model.js")
        .invokeMember("addBranches", feed.getMember("model"), modules.json("[" + branch + "]"));
    // The last clock was lost with a worker.
    answer(
        "/series?branches=7", "{\"items\": [{\"branch\": 7, \"buckets\": [{\"toClock\": 28}]}]}");

    for (int second = 0; second < 5; second++) {
      feed.invokeMember("want", modules.json("[7]"));
      advance(1000);
    }
    assertThat(asked("/series?branches=7")).isEqualTo(1);
    assertThat(model("wanted")).isEqualTo("{}");
    assertThat(browser.invokeMember("timers").asInt()).isZero();
  }

  @Test
  void anActionIsToldByItsOwnAnswer() {
    openLive();
    answer("/jobs/j/pause", job("PAUSED", 2, 0));
    int before = asked("");

    feed.invokeMember("ask", "pause");
    settle();

    assertThat(asked("")).isEqualTo(before + 1);
    assertThat(feed.getMember("model").getMember("job").getMember("state").asString())
        .isEqualTo("PAUSED");
  }

  private void openLive() {
    feed.invokeMember("open");
    settle();
    assertThat(links()).isEqualTo(1);
    link().invokeMember("made");
    settle();
    assertThat(text("link")).isEqualTo("live");
  }

  private static String job(String state, int version, int mainline) {
    return JOB.formatted(state, version, mainline);
  }

  private void answer(String part, String document) {
    browser.getMember("documents").putMember(part, modules.json(document));
  }

  private void serverAnswers(int status) {
    browser.putMember("status", status);
  }

  private void advance(int millis) {
    browser.invokeMember("advance", millis);
    settle();
  }

  /// Answers that are on their way arrive.
  private void settle() {
    modules.script("0");
  }

  private Value link() {
    return browser.invokeMember("link");
  }

  private long links() {
    return browser.getMember("links").getArraySize();
  }

  private int openLinks() {
    return browser.invokeMember("openLinks").asInt();
  }

  private int asked(String part) {
    return browser.invokeMember("asked", part).asInt();
  }

  private int drawn() {
    return modules.script("globalThis.drawn").asInt();
  }

  private String text(String member) {
    return feed.getMember(member).asString();
  }

  private String model(String member) {
    return modules.text(feed.getMember("model").getMember(member));
  }
}
