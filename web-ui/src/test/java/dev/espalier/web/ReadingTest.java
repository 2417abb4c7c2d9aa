package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What pages read again and again, and where they find it.
final class ReadingTest {
  private PageModules modules;
  private Value browser;

  @BeforeEach
  void openBrowser() {
    modules = new PageModules();
    browser = modules.browser();
  }

  @AfterEach
  void closeEngine() {
    modules.close();
  }

  private Value turn() {
    return modules
        .script(
            """
            (module) => {
              const test = { begun: 0, again: 0, answer: () => {} };
              const turn = new module.Turn(3000, () => test.again++);
              const read = () => {
                test.begun++;
                return new Promise((resolve, reject) => {
                  test.answer = (there) => (there === null ? reject('no') : resolve(there));
                });
              };
              test.take = (ended) => void turn.take(ended, read);
              return test;
            }\
            """)
        .execute(modules.load("reading.js"));
  }

  @Test
  void oneReadingAtATimeNotTooOftenAndNoneAfterTheLast() {
    Value test = turn();

    test.invokeMember("take", false);
    test.invokeMember("take", true);
    assertThat(begun(test)).isEqualTo(1);
    test.invokeMember("answer", true);
    test.invokeMember("take", false);
    assertThat(begun(test)).isEqualTo(1);
    browser.invokeMember("advance", 3000);
    test.invokeMember("take", false);
    assertThat(begun(test)).isEqualTo(2);
    test.invokeMember("answer", true);

    test.invokeMember("take", true);
    assertThat(begun(test)).isEqualTo(3);
    test.invokeMember("answer", true);
    test.invokeMember("take", true);
    browser.invokeMember("advance", 60_000);
    test.invokeMember("take", false);
    assertThat(begun(test)).isEqualTo(3);
    assertThat(test.getMember("again").asInt()).isZero();
  }

  @Test
  void whatFailedIsReadAgainAfterAPauseEvenWhereNothingElseHappens() {
    Value test = turn();

    test.invokeMember("take", true);
    fail(test);
    for (int news = 0; news < 5; news++) {
      test.invokeMember("take", true);
    }
    assertThat(begun(test)).isEqualTo(1);
    assertThat(test.getMember("again").asInt()).isZero();

    browser.invokeMember("advance", 3000);
    assertThat(test.getMember("again").asInt()).isEqualTo(1);
    test.invokeMember("take", true);
    assertThat(begun(test)).isEqualTo(2);
    test.invokeMember("answer", true);
    test.invokeMember("take", true);
    assertThat(begun(test)).isEqualTo(2);
  }

  @Test
  void whereThereWasNothingToReadNothingIsWaitedFor() {
    Value test = turn();

    test.invokeMember("take", true);
    test.invokeMember("answer", false);
    test.invokeMember("take", true);

    assertThat(begun(test)).isEqualTo(2);
    assertThat(browser.invokeMember("timers").asInt()).isZero();
  }

  private static void fail(Value test) {
    Object nothing = null;
    test.invokeMember("answer", nothing);
  }

  @Test
  void addressesThatMeanNothingLeadNowhere() {
    Value route = modules.load("route.js");
    for (String mistyped : List.of("#/jobs/%", "#/nowhere", "#/jobs/")) {
      assertThat(route.invokeMember("readRoute", mistyped).getMember("page").asString())
          .isEqualTo("nowhere");
    }
    for (String jobs : List.of("", "#", "#/", "#/?state=FAILED")) {
      assertThat(route.invokeMember("readRoute", jobs).getMember("page").asString())
          .isEqualTo("jobs");
    }
    assertThat(route.invokeMember("readRoute", "#/jobs/a%20b/logs").getMember("job").asString())
        .isEqualTo("a b");
    assertThat(route.invokeMember("readRoute", "#/jobs/j/constructor").getMember("tab").asString())
        .isEqualTo("overview");
  }

  private static int begun(Value test) {
    return test.getMember("begun").asInt();
  }
}
