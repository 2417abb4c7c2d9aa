package dev.espalier.api.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProgramDescriptorTest {
  @Test
  void shortFormSearchesLearningRateAndBatchSize() {
    var descriptor =
        ProgramDescriptor.of(
            "fit", "Fits.", MetricSpec.minimize("loss"), MetricSpec.maximize("accuracy"));

    assertThat(descriptor.needsData()).isFalse();
    assertThat(descriptor.arguments()).isEmpty();
    assertThat(new SearchSpace(descriptor.tunables()).defaults().values())
        .containsEntry(Tunable.LEARNING_RATE, 1e-3)
        .containsEntry(Tunable.BATCH_SIZE, (double) ProgramDescriptor.DEFAULT_BATCH_SIZE)
        .hasSize(2);
    assertThat(descriptor.validation())
        .isEqualTo(
            List.of(
                new MetricSpec("loss", Goal.MINIMIZE, MetricSpec.Aggregate.MEAN),
                new MetricSpec("accuracy", Goal.MAXIMIZE, MetricSpec.Aggregate.MEAN)));
  }

  @Test
  void shortFormNeedsAMetric() {
    assertThatThrownBy(() -> ProgramDescriptor.of("fit", "Fits."))
        .hasMessageContaining("at least one validation metric");
  }
}
