package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.memory.StreamingCopy;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A streamed step writes the bits of an ordinary one, and nothing else.
final class StreamedStepTest {
  private static final TablePart.Step STEP =
      new TablePart.Step(new StepSize(0.1, 0.9), 3, 7, null, 0);

  static List<String> rules() {
    return UpdateRule.names().stream()
        .filter(name -> UpdateRule.named(name, RuleOptions.defaultsOf(name)).stateArrays() == 0)
        .toList();
  }

  private static MemorySegment random(Arena arena, long bytes, long seed) {
    MemorySegment page = arena.allocate(bytes, 64);
    var random = new SplittableRandom(seed);
    for (long i = 0; i < bytes / 4; i++) {
      page.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble());
    }
    return page;
  }

  @ParameterizedTest
  @MethodSource("rules")
  void writesTheSameBits(String name) {
    assumeThat(StreamingCopy.ofThisMachine()).isPresent();
    UpdateRule rule = UpdateRule.named(name, RuleOptions.defaultsOf(name));
    var kernels = RowKernelsProvider.best();
    var streamed = new StreamedStep(StreamingCopy.ofThisMachine().orElseThrow());
    for (int length : new int[] {1, 100, 256, 300, 1000, 2048}) {
      long planeBytes = 4 * (2048 + 16);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment from = random(arena, planeBytes, 1);
        MemorySegment expected = random(arena, planeBytes, 2);
        MemorySegment actual = random(arena, planeBytes, 2);
        float[] gradient = new float[length + 3];
        Arrays.fill(gradient, 0.25f);
        rule.step(
            kernels,
            new StepSpan(from, expected, 16, planeBytes, gradient, 3, 7, length, null),
            STEP.stepSize(),
            STEP.stepNumber());
        streamed.take(
            rule,
            kernels,
            new StepSpan(from, actual, 16, planeBytes, gradient, 3, 7, length, null),
            STEP);
        assertThat(actual.mismatch(expected)).as("%s of %d", name, length).isEqualTo(-1);
      }
    }
  }

  @Test
  void copiesWhatItIsAskedTo() {
    assumeThat(StreamingCopy.ofThisMachine()).isPresent();
    StreamingCopy copy = StreamingCopy.ofThisMachine().orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = arena.allocate(256, 64);
      MemorySegment from = random(arena, 256, 1);
      copy.copy(page.address() + 64, from.address() + 4, 128);
      copy.fence();
      assertThat(page.asSlice(64, 128).mismatch(from.asSlice(4, 128))).isEqualTo(-1);
      assertThat(page.asSlice(0, 64).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(page.asSlice(192).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
    }
    assertThat(StreamingCopy.fits(1024, 64)).isTrue();
    assertThat(StreamingCopy.fits(1028, 64)).isFalse();
    assertThat(StreamingCopy.fits(1024, 100)).isFalse();
    assertThat(StreamingCopy.fits(1024, 0)).isFalse();
  }
}
