package dev.espalier.ps.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.kernel.StepSpan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Worked examples: w = 1, then gradients 2, -1 and 2, each the mean of two samples, with lr = 0.1
/// and m = 0.5; expected values of the first two steps by hand, of the third from the formulas in
/// exact arithmetic.
final class UpdateRuleTest {
  private static final List<RowKernels> KERNELS =
      List.of(new ScalarRowKernels(), RowKernelsProvider.best());
  private static final StepSize STEP = new StepSize(0.1, 0.5);
  private static final float[] GRADIENTS = {2, -1, 2};
  private static final int PLANES = 4;
  private static final long PLANE_BYTES = 64;

  @ParameterizedTest
  @CsvSource({
    "sgd, 0.8, 0.9, 0.7",
    "momentum, 0.8, 0.8, 0.6",
    "ema-momentum, 0.9, 0.9, 0.8",
    "nesterov, 0.7, 0.8, 0.5",
    "adagrad, 0.9, 0.9447214, 0.8780547",
    "rmsprop, 0.6837722, 0.8312142, 0.6095386",
    "adam, 0.9, 0.9, 0.8340171",
    "adamw, 0.89, 0.8811, 0.8063061",
    "adadelta, 0.9996838, 0.9998923, 0.9995536",
    "adarevision, 0.9105573, 0.9513821, 0.8881366",
    "proximal-sgd, 0.6666667, 0.6349206, 0.3189720",
    "proximal-adagrad, 0.8292683, 0.8111309, 0.6994730"
  })
  void followsTheFormula(String name, float first, float second, float third) {
    UpdateRule rule =
        UpdateRule.named(
            name, RuleOptions.defaultsOf(name).withWeightDecay(0.1).withPenalties(1, 0.5));
    for (RowKernels kernels : KERNELS) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment page = page(arena);
        float[] expected = {first, second, third};
        for (int t = 0; t < GRADIENTS.length; t++) {
          step(rule, kernels, page, GRADIENTS[t], t + 1, null);
          assertThat(weight(page))
              .as("%s step %d with %s kernels", name, t + 1, kernels.name())
              .isCloseTo(expected[t], within(2e-6f));
        }
      }
    }
  }

  @Test
  void adaRevisionRevisesStepsOfDelayedGradients() {
    UpdateRule rule = UpdateRule.named("adarevision", RuleOptions.defaults());
    for (RowKernels kernels : KERNELS) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment page = page(arena);
        MemorySegment seen = page(arena);
        step(rule, kernels, page, 2, 1, seen);
        assertThat(weight(page)).isCloseTo(0.9105573f, within(1e-6f));
        // G = 2, G_old = 0: z = 4 + 1 - 4 = 1, z' stays 4, so eta stays 0.1 / sqrt(5).
        step(rule, kernels, page, -1, 2, seen);
        assertThat(weight(page)).isCloseTo(0.9552787f, within(1e-6f));
        // G = 1, G_old = 0: z = 1 + 9 + 6 = 16, eta = 0.1 / sqrt(17); the old step is made smaller.
        step(rule, kernels, page, 3, 3, seen);
        assertThat(weight(page)).isCloseTo(0.9029858f, within(1e-6f));
      }
    }
  }

  private static MemorySegment page(Arena arena) {
    MemorySegment page = arena.allocate(PLANES * PLANE_BYTES, 64);
    for (int i = 0; i < 16; i++) {
      page.set(ValueLayout.JAVA_FLOAT, 4L * i, 1);
    }
    return page;
  }

  private static void step(
      UpdateRule rule,
      RowKernels kernels,
      MemorySegment page,
      float gradient,
      long t,
      MemorySegment seen) {
    float[] sums = new float[16];
    Arrays.fill(sums, 2 * gradient);
    rule.step(kernels, new StepSpan(page, page, 0, PLANE_BYTES, sums, 0, 2, 16, seen), STEP, t);
  }

  private static float weight(MemorySegment page) {
    float first = page.get(ValueLayout.JAVA_FLOAT, 0);
    assertThat(page.get(ValueLayout.JAVA_FLOAT, 60)).isEqualTo(first);
    return first;
  }

  @Test
  void namesFindTheirRules() {
    for (String name : UpdateRule.names()) {
      assertThat(UpdateRule.named(name, RuleOptions.defaults()).name()).isEqualTo(name);
    }
    assertThatThrownBy(() -> UpdateRule.named("sgdd", RuleOptions.defaults()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("but is sgdd");
  }

  @Test
  void boundsAreChecked() {
    assertThatThrownBy(() -> StepSize.of(-1))
        .hasMessage("learningRate must be >= 0 and finite but is -1.0");
    assertThatThrownBy(() -> StepSize.of(Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> new StepSize(1, 1))
        .hasMessage("momentum must be in [0, 1) but is 1.0");
    assertThatThrownBy(() -> RuleOptions.defaults().withEpsilon(0)).hasMessageContaining("epsilon");
    assertThat(StepSize.noUpdate().updates()).isFalse();
  }

  /// Kernels calculate with floats, in which a bound can be reached that the double keeps.
  @Test
  void boundsHoldForFloats() {
    assertThatThrownBy(() -> new StepSize(0.1, 0.99999999))
        .hasMessage("momentum must be in [0, 1) but is 0.99999999, as a float 1.0");
    assertThatThrownBy(() -> StepSize.of(1e39))
        .hasMessage("learningRate must be >= 0 and finite but is 1.0E39, as a float Infinity");
    assertThatThrownBy(() -> RuleOptions.defaults().withEpsilon(1e-46))
        .hasMessage("epsilon must be > 0 and finite but is 1.0E-46, as a float 0.0");
    assertThatThrownBy(() -> RuleOptions.defaults().withBeta2(0.99999999))
        .hasMessageContaining("beta2 must be in [0, 1)");
    assertThat(new StepSize(1e-50, 0.9999999).momentumOr(0)).isLessThan(1);
  }
}
