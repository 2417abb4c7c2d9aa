package dev.espalier.ps.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Streamed steps write the bits of ordinary ones, and nothing else.
final class StreamingStepKernelsTest {
  private static final int PASS = LaneCode.PASS_BYTES / Float.BYTES;

  private static final Set<String> WITHOUT_STATE = Set.of("sgd", "proximal-sgd");

  private int left;
  private final StepKernels<StepSpan> streaming = streaming(LaneCode.Width.NARROW);

  @BeforeEach
  void hasSuchKernels() {
    assumeTrue(
        new VectorRowKernels().streaming() instanceof StreamingStepKernels,
        "this machine has no such kernels");
  }

  private StepKernels<StepSpan> streaming(LaneCode.Width width) {
    return new StreamingStepKernels(countingWhatIsLeft(), width);
  }

  /// Those that this machine has.
  private List<StepKernels<StepSpan>> streaming() {
    return Arrays.stream(LaneCode.Width.values())
        .filter(width -> width.lanes() <= VectorRowKernels.lanes())
        .map(this::streaming)
        .toList();
  }

  @SuppressWarnings("unchecked") // the interface is what it is
  private StepKernels<StepSpan> countingWhatIsLeft() {
    var scalar = new ScalarRowKernels();
    return (StepKernels<StepSpan>)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {StepKernels.class},
            (_, method, arguments) -> {
              left = ((StepSpan) arguments[0]).length();
              return method.invoke(scalar, arguments);
            });
  }

  /// A step between pages of four planes.
  ///
  /// @param offset of the run in the page as it was
  /// @param toOffset of the run in the page as it will be
  /// @param planeBytes of either
  private record Case(int length, long offset, long toOffset, long planeBytes, float divisor) {
    int[] run(
        StepKernels<StepSpan> kernels,
        RowKernelsTest.Step step,
        boolean isOverGradient,
        boolean isSpecial) {
      var random = new Random(length);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment from = RowKernelsTest.randomPage(arena, planeBytes, random, isSpecial);
        MemorySegment to = RowKernelsTest.randomPage(arena, planeBytes, random, isSpecial);
        float[] gradient = new float[length + 3];
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] = RowKernelsTest.value(random, isSpecial);
        }
        if (isOverGradient) {
          MemorySegment.copy(gradient, 3, to, ValueLayout.JAVA_FLOAT, toOffset, length);
        }
        step.take(
            kernels,
            new StepSpan(
                from,
                to,
                offset,
                planeBytes,
                toOffset,
                planeBytes,
                isOverGradient ? null : gradient,
                isOverGradient ? 0 : 3,
                divisor,
                length,
                null));
        int[] bits = new int[(int) (to.byteSize() / 4)];
        for (int i = 0; i < bits.length; i++) {
          bits[i] = Float.floatToIntBits(to.get(ValueLayout.JAVA_FLOAT, 4L * i));
        }
        return bits;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 32, 48, 100, 1000, 4096})
  void givesTheBitsOfScalarSteps(int length) {
    long planeBytes = (4L * length + 191) / 64 * 64;
    RowKernelsTest.steps()
        .forEach((name, step) -> {
          for (float divisor : new float[] {1, 7, 0x1p126f, 0x1p127f}) {
            var lies = new Case(length, 8, 64, planeBytes, divisor);
            for (boolean isOverGradient : new boolean[] {false, true}) {
              for (boolean isSpecial : new boolean[] {false, true}) {
                int[] plain = lies.run(new ScalarRowKernels(), step, isOverGradient, isSpecial);
                for (StepKernels<StepSpan> streaming : streaming()) {
                  int[] streamed = lies.run(streaming, step, isOverGradient, isSpecial);
                  assertThat(Arrays.mismatch(streamed, plain))
                      .as("%s, %s, %s, %s", name, lies, isOverGradient, isSpecial)
                      .isEqualTo(-1);
                }
              }
              boolean isAllOver = isOverGradient && WITHOUT_STATE.contains(name);
              assertThat(left).as(name).isEqualTo(isAllOver ? length : length % PASS);
            }
          }
        });
  }

  @Test
  void goesOnWhereACallEnds() {
    int length = (1 << 18) + 40;
    var lies = new Case(length, 0, 0, 4 * (length + 24), 7);
    RowKernelsTest.steps()
        .forEach((name, step) -> {
          int[] streamed = lies.run(streaming, step, false, false);
          int[] plain = lies.run(new ScalarRowKernels(), step, false, false);
          assertThat(Arrays.mismatch(streamed, plain)).as(name).isEqualTo(-1);
          assertThat(left).as(name).isEqualTo(length % PASS);
        });
  }

  @Test
  void leavesToOthersWhatItDoesNotTake() {
    for (Case odd :
        List.of(
            new Case(100, 0, 32, 512, 1),
            new Case(100, 0, 64, 480, 1),
            new Case(15, 0, 0, 64, 1))) {
      RowKernelsTest.steps()
          .forEach((name, step) -> {
            assertThat(odd.run(streaming, step, false, true))
                .as("%s, %s", name, odd)
                .containsExactly(odd.run(new ScalarRowKernels(), step, false, true));
            assertThat(left).as("%s, %s", name, odd).isEqualTo(odd.length());
          });
    }
  }

  @Test
  void looksBackAndStepsInPlaceAsOthersDo() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = RowKernelsTest.randomPage(arena, 512, new Random(1), false);
      MemorySegment other = RowKernelsTest.randomPage(arena, 512, new Random(2), false);
      float[] gradient = new float[128];
      streaming.momentum(
          new StepSpan(page, page, 0, 512, gradient, 0, 1, 128, null), 0.1f, 0.9f, 1);
      assertThat(left).isEqualTo(128);
      streaming.adaRevision(new StepSpan(page, other, 0, 512, gradient, 0, 1, 128, page), 0.1f, 1);
      assertThat(left).isEqualTo(128);
    }
  }

  @Test
  void aRunThatDoesNotFitItsPagesOrGradientsIsRefused() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = RowKernelsTest.randomPage(arena, 512, new Random(1), false);
      MemorySegment other = RowKernelsTest.randomPage(arena, 512, new Random(2), false);
      MemorySegment few = arena.allocate(512 + 448, 64);
      float[] gradient = new float[128];
      for (StepSpan span :
          List.of(
              new StepSpan(few, other, 0, 512, gradient, 0, 1, 128, null),
              new StepSpan(page, few, 0, 512, gradient, 0, 1, 128, null),
              new StepSpan(page, few, 0, 512, null, 0, 1, 128, null),
              new StepSpan(page, other, 0, 512, gradient, 1, 1, 128, null))) {
        assertThatThrownBy(() -> streaming.adaGrad(span, 0.1f, 1))
            .as("%s", span)
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }
}
