package dev.espalier.api.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.ProgramDescriptor.Argument.Type;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
  void namesAreDescribedOnce() {
    var loss = MetricSpec.minimize("loss");
    assertThatThrownBy(() -> ProgramDescriptor.of("fit", "Fits.", loss, loss))
        .hasMessageEndingWith(": validation metric loss is described twice");
    var rate = new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-5, 1, 1e-3);
    assertThatThrownBy(() ->
            new ProgramDescriptor("fit", "", false, List.of(), List.of(rate, rate), List.of(loss)))
        .hasMessageEndingWith(": tunable learningRate is described twice");
    Argument rank = argument(Type.INTEGER, "3", List.of());
    assertThatThrownBy(() ->
            new ProgramDescriptor("fit", "", false, List.of(rank, rank), List.of(), List.of(loss)))
        .hasMessageEndingWith(": argument rank is described twice");
  }

  private static Argument argument(Type type, String defaultValue, List<String> choices) {
    return new Argument("rank", "", type, defaultValue, 1.0, 8.0, choices);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "INTEGER|9|within [1, 8] but is '9'",
        "INTEGER|2.5|a whole number but is '2.5'",
        "INTEGER|3000000000|a whole number but is '3000000000'",
        "DECIMAL|0.5|within [1, 8] but is '0.5'",
        "DECIMAL|NaN|a finite number but is 'NaN'",
        "DECIMAL|much|a finite number but is 'much'",
        "INTEGER_LIST|1,9|within [1, 8] but is '9'",
        "INTEGER_LIST|1,x|a whole number but is 'x'"
      })
  void defaultsAreWhatTheirArgumentMayBe(Type type, String text, String message) {
    assertThatThrownBy(() -> argument(type, text, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("argument rank: its default must be " + message);
  }

  @Test
  void choicesAreForAChoice() {
    assertThatThrownBy(() -> argument(Type.CHOICE, "a", List.of("b", "c")))
        .hasMessage("argument rank: its default must be one of [b, c] but is 'a'");
    assertThatThrownBy(() -> argument(Type.CHOICE, "a", List.of()))
        .hasMessageContaining("it is a CHOICE with []");
    assertThatThrownBy(() -> argument(Type.TEXT, "a", List.of("a")))
        .hasMessageContaining("it is a TEXT with [a]");
    assertThat(argument(Type.INTEGER_LIST, "", List.of()).defaultValue()).isEmpty();
  }

  @Test
  void shortFormNeedsAMetric() {
    assertThatThrownBy(() -> ProgramDescriptor.of("fit", "Fits."))
        .hasMessageContaining("at least one validation metric");
  }

  @Test
  void argumentsAreMadeByTheirTypes() {
    assertThat(
            List.of(
                Argument.integer("rank", "factors", 8).within(1, 64),
                Argument.decimal("l2", "penalty", 1e-4).atLeast(0),
                Argument.integers("hidden", "widths", "128,64").atLeast(1),
                Argument.choice("pooling", "how", "max", List.of("max", "mean")),
                Argument.text("file", "its name", "")))
        .containsExactly(
            new Argument("rank", "factors", Argument.Type.INTEGER, "8", 1.0, 64.0, List.of()),
            new Argument("l2", "penalty", Argument.Type.DECIMAL, "0.0001", 0.0, null, List.of()),
            new Argument(
                "hidden", "widths", Argument.Type.INTEGER_LIST, "128,64", 1.0, null, List.of()),
            new Argument(
                "pooling", "how", Argument.Type.CHOICE, "max", null, null, List.of("max", "mean")),
            new Argument("file", "its name", Argument.Type.TEXT, "", null, null, List.of()));
    assertThatThrownBy(() -> Argument.integers("hidden", "widths", "128,0").atLeast(1))
        .hasMessage("argument hidden: its default must be >= 1 but is '0'");
  }
}
