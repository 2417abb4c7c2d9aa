package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Jobs over one axis.
final class CoursesTest {
  private static final String COURSE =
      """
      {"job": {"start": 1, "mainlineClock": 200, "epoch": 6, "trainingSeconds": 30,
               "tuningSeconds": 60, "evaluationSeconds": 10},
       "mainline": [{"toClock": 50, "seconds": 5, "mean": 3}, {"toClock": 100, "seconds": 9, "mean": 2},
                    {"toClock": 150, "seconds": 12, "mean": null},
                    {"toClock": 200, "seconds": 30, "mean": 1}],
       "evaluations": [{"start": 1, "leads": true, "mainlineClock": 100, "epoch": 2, "atSeconds": 60,
                        "metrics": {"accuracy": 0.5}}],
       "steps": [{"fromClock": 0, "fromEpoch": 0}, {"fromClock": 100, "fromEpoch": 2}]}\
      """;

  private PageModules modules;

  @BeforeEach
  void openPage() {
    modules = new PageModules();
  }

  @AfterEach
  void closeEngine() {
    modules.close();
  }

  /// Over the seconds that it trained a job that tunes a lot would look the faster one.
  @Test
  void aLossLiesWhereTheJobWasThen() {
    assertThat(training(COURSE, "time"))
        .isEqualTo("[{\"x\":30,\"y\":3},{\"x\":60,\"y\":2},{\"x\":100,\"y\":1}]");
    assertThat(training(COURSE, "clock"))
        .isEqualTo("[{\"x\":50,\"y\":3},{\"x\":100,\"y\":2},{\"x\":200,\"y\":1}]");
    assertThat(training(COURSE, "epoch"))
        .isEqualTo("[{\"x\":1,\"y\":3},{\"x\":2,\"y\":2},{\"x\":6,\"y\":1}]");
  }

  @Test
  void aLaterStartBeginsWhereTheOneBeforeWasLeft() {
    String later =
        COURSE
            .replace(
                "{\"start\": 1, \"mainlineClock\": 200", "{\"start\": 2, \"mainlineClock\": 200")
            .replace("\"atSeconds\": 60", "\"atSeconds\": 80");
    assertThat(training(later, "time"))
        .isEqualTo("[{\"x\":85,\"y\":3},{\"x\":90,\"y\":2},{\"x\":100,\"y\":1}]");
    assertThat(metric(later, "time")).isEqualTo("[{\"x\":80,\"y\":0.5}]");
    assertThat(metric(later, "epoch")).isEqualTo("[]");
  }

  @Test
  void aResultLiesAtItsTimeItsEpochOrItsClock() {
    assertThat(metric(COURSE, "time")).isEqualTo("[{\"x\":60,\"y\":0.5}]");
    assertThat(metric(COURSE, "epoch")).isEqualTo("[{\"x\":2,\"y\":0.5}]");
    assertThat(metric(COURSE, "clock")).isEqualTo("[{\"x\":100,\"y\":0.5}]");
  }

  private String training(String course, String unit) {
    return modules.text(courses().invokeMember("trainingLine", modules.json(course), unit));
  }

  private String metric(String course, String unit) {
    return modules.text(
        courses().invokeMember("metricLine", modules.json(course), "accuracy", unit));
  }

  private Value courses() {
    return modules.load("courses.js");
  }
}
