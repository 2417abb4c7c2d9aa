package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JobComparisonTest {
  /// As `schedule export --format job` writes it of a job that `racing` tuned.
  private static final String EXPORTED =
      """
      program: toy
      tunables: { learningRate: { type: log, min: 0.001, max: 1, default: 0.1 } }
      tuning:
        policy: fixed
        holdOut: true
        racing: { probeSamples: 100 }
        schedule: [{ fromClock: 0, setting: { learningRate: 0.2 } }]
      """;

  private static final String FIXED =
      """
      program: toy
      tunables: { learningRate: { type: log, min: 0.001, max: 1, default: 0.1 } }
      tuning: { policy: fixed, setting: { learningRate: 0.2 } }
      """;

  private static List<JobComparison.Entry> entries(String file, String... policies) {
    return JobComparison.entries(Json.readDocument("file", file), List.of(policies), 1, "");
  }

  private static JobSpecReader.Result read(JobComparison.Entry entry) {
    return JobSpecReader.read(
        entry.document(),
        name -> Optional.of(ProgramDescriptor.of(name, "a toy", MetricSpec.minimize("loss"))));
  }

  @Test
  void aFileOfThePolicyFixedIsComparedWithPoliciesThatTune() {
    for (String file : List.of(EXPORTED, FIXED)) {
      for (JobComparison.Entry entry : entries(file, "racing", "mltuner:gp", "asha", "fixed")) {
        assertThat(read(entry).problems()).as(entry.policy()).isEmpty();
      }
    }
  }

  @Test
  void namesAreAsLongAsNamesMayBe() {
    String file = "program: toy\nname: " + "n".repeat(80);

    for (JobComparison.Entry entry : entries(file, "racing", "mltuner:gp")) {
      assertThat(read(entry).problems()).isEmpty();
      assertThat(entry.document().get("name"))
          .asString()
          .hasSize(80)
          .endsWith("n " + entry.policy() + " seed 1");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.5", "one", ".nan", "9007199254740991", "9223372036854775807"})
  void seedsAreWholeNumbersThatLeaveRoomForMore(String seed) {
    Map<String, Object> file = Json.readDocument("file", "program: toy\nseed: " + seed);

    assertThatThrownBy(() -> JobComparison.entries(file, List.of("racing"), 2, ""))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("seed must be a whole number in [-9007199254740990, ");
  }

  @Test
  void seedsGoOnFromThatOfTheFile() {
    Map<String, Object> file = Json.readDocument("file", "program: toy\nseed: 7");

    assertThat(JobComparison.entries(file, List.of("racing"), 2, ""))
        .extracting(JobComparison.Entry::seed)
        .containsExactly(7L, 8L);
  }

  /// The lower one of two would be the better of two losses, and the worse of two accuracies.
  @Test
  void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
    assertThat(JobComparison.Outcome.median(DoubleStream.of(3, 1))).isEqualTo(2);
    assertThat(JobComparison.Outcome.median(DoubleStream.of(9, 1, 3))).isEqualTo(3);
    assertThat(JobComparison.Outcome.median(DoubleStream.of(1, Double.POSITIVE_INFINITY))).isNaN();
    assertThat(JobComparison.Outcome.median(DoubleStream.empty())).isNaN();
  }

  @Test
  void whatIsNotSearchedStaysSo() {
    String file = "program: toy\ntuning: { policy: racing, setting: { batchSize: 32 } }\n";

    assertThat(entries(file, "asha").getFirst().document().get("tuning"))
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.MAP)
        .containsEntry("setting", Map.of("batchSize", 32));
  }

  @Test
  void theCommonQualityIsTheWorstBestOfThoseThatCameAnywhere() {
    assertThat(common(Goal.MAXIMIZE, 0.1, 0.95, 0.2, 0.94, 0.1, 0.9)).isEqualTo(quality(0.9, 0));
    // The third stayed where it began.
    assertThat(common(Goal.MAXIMIZE, 0.1, 0.95, 0.2, 0.94, 0.1, 0.1)).isEqualTo(quality(0.94, 1));
    assertThat(common(Goal.MINIMIZE, 2.3, 0.4, 2.3, 2.0, 2.2, 0.5)).isEqualTo(quality(0.5, 1));
    // One by itself is compared with nobody.
    assertThat(common(Goal.MAXIMIZE, 0.1, 0.95, 0.1, 0.1)).isEqualTo(quality(0.1, 0));
    // From where this one began all have come far.
    assertThat(common(Goal.MINIMIZE, 2.3, 0.4, 1e9, 2.0, 2.2, 0.5)).isEqualTo(quality(2.0, 0));
    assertThat(common(Goal.MINIMIZE, 2.3, 0.4, Double.NaN, Double.NaN)).isEqualTo(quality(0.4, 0));
    assertThat(common(Goal.MINIMIZE, 0.5, 0.5, 0.5, 0.5)).isEqualTo(quality(0.5, 0));
    assertThat(common(Goal.MINIMIZE)).isEqualTo(quality(Double.NaN, 0));
  }

  private static JobComparison.Quality quality(double value, int without) {
    return new JobComparison.Quality(value, without);
  }

  /// @param values of each run the first and the best
  private static JobComparison.Quality common(Goal goal, double... values) {
    return JobComparison.Quality.common(
        goal,
        IntStream.range(0, values.length / 2)
            .mapToObj(run -> new JobComparison.Gain(values[2 * run], values[2 * run + 1]))
            .toList());
  }
}
