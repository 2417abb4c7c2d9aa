package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.cli.client.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

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
  void whatIsNotSearchedStaysSo() {
    String file = "program: toy\ntuning: { policy: racing, setting: { batchSize: 32 } }\n";

    assertThat(entries(file, "asha").getFirst().document().get("tuning"))
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.MAP)
        .containsEntry("setting", Map.of("batchSize", 32));
  }
}
