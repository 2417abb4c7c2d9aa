package dev.espalier.ps.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RowKernelsTest {
  static final int PLANES = 4;
  private static final float[] SPECIAL = {
    0f,
    -0f,
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL / 2,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    1e-30f,
    0.05f
  };

  interface Step {
    void take(StepKernels<StepSpan> kernels, StepSpan span);
  }

  static Map<String, Step> steps() {
    Map<String, Step> steps = new TreeMap<>();
    steps.put("sgd", (k, s) -> k.sgd(s, 0.1f));
    steps.put("momentum", (k, s) -> k.momentum(s, 0.1f, 0.9f, 1));
    steps.put("ema-momentum", (k, s) -> k.momentum(s, 0.1f, 0.9f, 1 - 0.9f));
    steps.put("nesterov", (k, s) -> k.nesterov(s, 0.1f, 0.9f));
    steps.put("adagrad", (k, s) -> k.adaGrad(s, 0.1f, 1e-8f));
    steps.put("rmsprop", (k, s) -> k.rmsProp(s, 0.1f, 0.9f, 1e-8f));
    steps.put(
        "adam", (k, s) -> k.adam(s, new AdamStep(0.1f, 0.9f, 0.999f, 1e-8f, 10f, 1000f, 0.01f)));
    steps.put("adadelta", (k, s) -> k.adaDelta(s, 0.1f, 0.9f, 1e-6f));
    steps.put("adarevision", (k, s) -> k.adaRevision(s, 0.1f, 1));
    steps.put("proximal-sgd", (k, s) -> k.proximalSgd(s, 0.1f, 0.5f, 0.25f));
    steps.put("proximal-adagrad", (k, s) -> k.proximalAdaGrad(s, 0.1f, 1e-8f, 0.5f, 0.25f));
    return steps;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 67, 1000})
  void vectorStepsGiveTheBitsOfScalarSteps(int length) {
    steps()
        .forEach((name, step) -> {
          for (long seed = 0; seed < 6; seed++) {
            String what = "%s, length %d, seed %d".formatted(name, length, seed);
            assertThat(run(new VectorRowKernels(), step, length, seed))
                .as(what)
                .containsExactly(run(new ScalarRowKernels(), step, length, seed));
          }
        });
  }

  /// New bits of all planes; seeds cover in place and out of place, with and without `seen`.
  private static int[] run(RowKernels kernels, Step step, int length, long seed) {
    Random random = new Random(seed);
    try (Arena arena = Arena.ofConfined()) {
      long planeBytes = 4L * length + 64;
      MemorySegment from = randomPage(arena, planeBytes, random, seed >= 3);
      MemorySegment to = seed % 2 == 0 ? from : randomPage(arena, planeBytes, random, false);
      float divisor = seed < 3 ? 7 : 1 << seed;
      MemorySegment seen = seed % 3 == 0 ? null : randomPage(arena, planeBytes, random, false);
      float[] gradient = new float[length + 3];
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] = value(random, seed >= 3);
      }
      step.take(kernels, new StepSpan(from, to, 8, planeBytes, gradient, 3, divisor, length, seen));
      int[] bits = new int[(int) (PLANES * planeBytes / 4)];
      for (int i = 0; i < bits.length; i++) {
        bits[i] = Float.floatToIntBits(to.get(ValueLayout.JAVA_FLOAT, 4L * i));
      }
      return bits;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 67, 1000})
  void aStepOverItsGradientGivesTheBitsOfOneBesideIt(int length) {
    long planeBytes = 4L * length + 64;
    float[] gradient = randomArray(length, 5);
    steps()
        .forEach((name, step) -> {
          for (RowKernels kernels : List.of(new ScalarRowKernels(), new VectorRowKernels())) {
            try (Arena arena = Arena.ofConfined()) {
              MemorySegment from = randomPage(arena, planeBytes, new Random(3), false);
              MemorySegment seen = randomPage(arena, planeBytes, new Random(4), false);
              MemorySegment beside = randomPage(arena, planeBytes, new Random(6), false);
              MemorySegment over = randomPage(arena, planeBytes, new Random(6), false);
              MemorySegment.copy(gradient, 0, over, ValueLayout.JAVA_FLOAT, 8, length);
              step.take(
                  kernels, new StepSpan(from, beside, 8, planeBytes, gradient, 0, 7, length, seen));
              step.take(kernels, new StepSpan(from, over, 8, planeBytes, null, 0, 7, length, seen));
              assertThat(over.mismatch(beside)).as("%s, %s", name, kernels.name()).isEqualTo(-1);
            }
          }
        });
  }

  static MemorySegment randomPage(Arena arena, long planeBytes, Random random, boolean special) {
    MemorySegment page = arena.allocate(PLANES * planeBytes, 64);
    for (long i = 0; i < PLANES * planeBytes / 4; i++) {
      page.set(ValueLayout.JAVA_FLOAT, 4 * i, value(random, special));
    }
    return page;
  }

  static float value(Random random, boolean special) {
    return special && random.nextInt(4) == 0
        ? SPECIAL[random.nextInt(SPECIAL.length)]
        : (float) random.nextGaussian();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 67, 1000})
  void vectorSumsGiveTheBitsOfScalarSums(int length) {
    float[] x = randomArray(length + 2, 1);
    float[][] results = new float[2][];
    RowKernels[] both = {new ScalarRowKernels(), new VectorRowKernels()};
    for (int i = 0; i < 2; i++) {
      results[i] = randomArray(length + 1, 2);
      both[i].add(x, 2, results[i], 1, length);
      both[i].axpy(0.3f, x, 1, results[i], 0, length);
      both[i].scale(1.7f, results[i], 1, length);
    }
    assertThat(results[1]).containsExactly(results[0]);
    for (RowKernels kernels : both) {
      float[] expected = randomArray(length + 1, 3);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment sums = arena.allocateFrom(ValueLayout.JAVA_FLOAT, expected);
        kernels.add(x, 2, sums, 4, length);
        both[0].add(x, 2, expected, 1, length);
        assertThat(sums.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(expected);
      }
    }
    assertThat(both[1].dot(x, 2, results[0], 1, length))
        .isCloseTo(both[0].dot(x, 2, results[0], 1, length), within(1e-3f));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4, 15, 16, 20, 36, 63, 64, 65, 84, 128, 132, 2047, 2048, 2049, 5000})
  void bytesAreCopiedWhereverTheyLie(int count) {
    byte[] source = new byte[count + 9];
    new Random(count).nextBytes(source);
    for (RowKernels kernels : new RowKernels[] {new ScalarRowKernels(), new VectorRowKernels()}) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment from = arena.allocate(count + 9).copyFrom(MemorySegment.ofArray(source));
        MemorySegment to = arena.allocate(count + 20);
        kernels.copy(from, 3, to, 7, count);
        assertThat(to.asSlice(7, count).mismatch(from.asSlice(3, count))).isEqualTo(-1);
        assertThat(to.asSlice(0, 7).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        assertThat(to.asSlice(7 + count).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        float[] floats = new float[count / 4 + 2];
        kernels.load(from, 3, floats, 1, count / 4);
        for (int i = 0; i < count / 4; i++) {
          assertThat(Float.floatToRawIntBits(floats[1 + i]))
              .isEqualTo(from.get(ValueLayout.JAVA_INT_UNALIGNED, 3 + 4L * i));
        }
        assertThat(floats[0] + floats[count / 4 + 1]).isZero();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 15, 16, 17, 33, 64, 129})
  void rowsAreGatheredAndScatteredAlikeWhateverTheyHold(int columns) {
    for (int count : new int[] {0, 1, 7, 40}) {
      float[][] gathered = new float[2][];
      float[][] scattered = new float[2][];
      RowKernels[] both = {new ScalarRowKernels(), new VectorRowKernels()};
      for (int i = 0; i < 2; i++) {
        Random random = new Random(count);
        float[] rows = specialArray(50 * columns, random);
        int[] places = new int[count + 3];
        for (int k = 0; k < places.length; k++) {
          int place = random.nextInt(50);
          places[k] = random.nextInt(3) == 0 ? ~place : place;
        }
        gathered[i] = new float[count * columns + 5];
        both[i].gather(rows, places, 3, count, columns, gathered[i], 5);
        scattered[i] = rows.clone();
        float[] added = specialArray(count * columns + 2, random);
        both[i].scatterAdd(added, 2, places, 3, count, columns, scattered[i]);
        assertThat(scattered[i])
            .as("%d rows of %d", count, columns)
            .containsExactly(scatteredByHand(rows, added, places, count, columns));
      }
      assertThat(gathered[1]).containsExactly(gathered[0]);
      assertThat(scattered[1]).containsExactly(scattered[0]);
    }
  }

  private static float[] scatteredByHand(
      float[] rows, float[] added, int[] places, int count, int columns) {
    float[] result = rows.clone();
    for (int k = 0; k < count; k++) {
      for (int column = 0; column < columns; column++) {
        int place = places[3 + k];
        int at = (place < 0 ? ~place : place) * columns + column;
        float value = added[2 + k * columns + column];
        result[at] = place < 0 ? value : result[at] + value;
      }
    }
    return result;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 63, 64, 65, 257})
  void sumsOfSpecialValuesAreAlike(int length) {
    for (long seed = 0; seed < 6; seed++) {
      float[] x = specialArray(length, new Random(seed));
      float[][] results = new float[2][];
      RowKernels[] both = {new ScalarRowKernels(), new VectorRowKernels()};
      for (int i = 0; i < 2; i++) {
        results[i] = specialArray(length, new Random(seed + 100));
        both[i].add(x, 0, results[i], 0, length);
        both[i].axpy(-2.5f, x, 0, results[i], 0, length);
        both[i].scale(Float.MIN_NORMAL, results[i], 0, length);
      }
      assertThat(results[1]).as("length %d, seed %d", length, seed).containsExactly(results[0]);
    }
  }

  private static float[] specialArray(int length, Random random) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = value(random, true);
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 21, 32, 48, 67})
  void rowsApartAreCopiedTogetherAndBack(int columns) {
    int rows = 50;
    Random random = new Random(columns);
    for (RowKernels kernels : List.of(new ScalarRowKernels(), new VectorRowKernels())) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment[] pages = new MemorySegment[rows];
        long[] offsets = new long[rows];
        float[] expected = new float[rows * columns];
        for (int i = 0; i < rows; i++) {
          // Rows end where their page does, and so must copies.
          pages[i] = randomPage(arena, 4L * columns, random, false).asSlice(0, 12L * columns);
          offsets[i] = 4L * columns;
          for (int k = 0; k < columns; k++) {
            expected[i * columns + k] =
                pages[i].get(ValueLayout.JAVA_FLOAT, offsets[i] + 4L * (columns + k));
          }
        }
        MemorySegment chunk = arena.allocate(4L * (rows * columns + 2));
        kernels.gatherRows(pages, offsets, 4L * columns, rows, columns, chunk, 4);
        assertThat(chunk.asSlice(4, 4L * expected.length).toArray(ValueLayout.JAVA_FLOAT))
            .as(kernels.name())
            .containsExactly(expected);
        assertThat(chunk.get(ValueLayout.JAVA_FLOAT, 0)).isZero();
        assertThat(chunk.getAtIndex(ValueLayout.JAVA_FLOAT, 1 + expected.length)).isZero();

        kernels.scatterRows(chunk, 4, pages, offsets, -4L * columns, rows, columns);
        for (MemorySegment page : pages) {
          assertThat(page.asSlice(0, 4L * columns).mismatch(page.asSlice(8L * columns)))
              .as(kernels.name())
              .isEqualTo(-1);
          assertThat(page.asSlice(4L * columns, 4L * columns).mismatch(page.asSlice(8L * columns)))
              .isNotEqualTo(-1);
        }
      }
    }
  }

  private static float[] randomArray(int length, long seed) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  @Test
  void withoutTheModuleTheChoiceIsScalarAndSaysWhy() {
    RowKernelsProvider choice = RowKernelsProvider.choose("", false);
    assertThat(choice.kernels()).isInstanceOf(ScalarRowKernels.class);
    assertThat(choice.reason()).contains("no module jdk.incubator.vector");
  }

  @Test
  void withTheModuleTheChoiceIsVectorUnlessScalarIsWished() {
    assertThat(RowKernelsProvider.choose("", true).kernels()).isInstanceOf(VectorRowKernels.class);
    assertThat(RowKernelsProvider.choose("scalar", true).kernels())
        .isInstanceOf(ScalarRowKernels.class);
    assertThat(RowKernelsProvider.chosen().reason()).isNotBlank();
  }
}
