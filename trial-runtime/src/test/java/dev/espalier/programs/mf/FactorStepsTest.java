package dev.espalier.programs.mf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.data.Ratings;
import dev.espalier.sdk.OpenRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FactorStepsTest {
  private static final int USERS = 9;
  private static final int ITEMS = 7;
  private static final FactorSteps.Constants CONSTANTS =
      new FactorSteps.Constants(3.5f, 0.05f, 0.1f);

  /// Rows in one piece of memory.
  private record Rows(MemorySegment values, int rows, int columns) {
    OpenRows open() {
      long address = values.address();
      return new OpenRows(
          rows,
          columns,
          rows,
          new OpenRows.Pages() {
            @Override
            public long address(int page) {
              return address;
            }

            @Override
            public void close() {}
          });
    }

    float[] floats() {
      return values.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static Rows rows(Arena arena, int rows, FactorShape shape, SplittableRandom random) {
    MemorySegment values = arena.allocate(4L * rows * shape.columns(), 64);
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < shape.rank(); k++) {
        values.setAtIndex(
            ValueLayout.JAVA_FLOAT,
            row * shape.columns() + k,
            (float) (random.nextGaussian() / Math.sqrt(shape.rank())));
      }
    }
    return new Rows(values, rows, shape.columns());
  }

  private static Ratings ratings(int count, SplittableRandom random) {
    var ratings = new Ratings(count, new int[count], new int[count], new float[count]);
    for (int i = 0; i < count; i++) {
      ratings.users()[i] = random.nextInt(USERS);
      ratings.items()[i] = random.nextInt(ITEMS);
      ratings.values()[i] = 1 + random.nextInt(5);
    }
    return ratings;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 15, 16, 17, 20, 32, 100, 128})
  void vectorsDoAsThePlainFormDoes(int rank) {
    FactorShape shape = FactorShape.inLines(rank);
    Ratings ratings = ratings(200, new SplittableRandom(rank));
    int[] samples = new int[200];
    Arrays.setAll(samples, i -> 199 - i);
    try (Arena arena = Arena.ofConfined()) {
      float[][] users = new float[2][];
      float[][] items = new float[2][];
      double[] losses = new double[2];
      FactorSteps[] forms = {new PlainFactorSteps(), FactorSteps.best()};
      for (int i = 0; i < forms.length; i++) {
        var random = new SplittableRandom(7);
        Rows p = rows(arena, USERS, shape, random);
        Rows q = rows(arena, ITEMS, shape, random);
        try (OpenRows openUsers = p.open();
            OpenRows openItems = q.open()) {
          losses[i] =
              forms[i].take(
                  new FactorSteps.Work(openUsers, openItems, shape, ratings, samples, CONSTANTS),
                  5,
                  60);
        }
        users[i] = p.floats();
        items[i] = q.floats();
      }
      assertThat(losses[1]).isCloseTo(losses[0], within(1e-3 * losses[0]));
      assertThat(users[1]).usingComparatorWithPrecision(2e-3f).containsExactly(users[0]);
      assertThat(items[1]).usingComparatorWithPrecision(2e-3f).containsExactly(items[0]);
      for (int row = 0; row < USERS; row++) {
        for (int column = 0; column < shape.columns(); column++) {
          if (column >= rank && column != shape.bias()) {
            assertThat(users[1][row * shape.columns() + column]).as("padding").isZero();
          }
        }
      }
    }
  }

  /// By hand: rank 1, p = 2, q = 3, no biases, mean 1, rating 5: e = 1 + 6 - 5 = 2.
  @Test
  void aStepIsThatOfTheFormula() {
    FactorShape shape = FactorShape.inLines(1);
    var ratings = new Ratings(1, new int[] {0}, new int[] {0}, new float[] {5});
    try (Arena arena = Arena.ofConfined()) {
      var p = new Rows(arena.allocate(4L * shape.columns(), 64), 1, shape.columns());
      var q = new Rows(arena.allocate(4L * shape.columns(), 64), 1, shape.columns());
      p.values().setAtIndex(ValueLayout.JAVA_FLOAT, 0, 2f);
      q.values().setAtIndex(ValueLayout.JAVA_FLOAT, 0, 3f);
      try (OpenRows users = p.open();
          OpenRows items = q.open()) {
        double loss =
            FactorSteps.best()
                .take(
                    new FactorSteps.Work(
                        users,
                        items,
                        shape,
                        ratings,
                        new int[] {0},
                        new FactorSteps.Constants(1, 0.25f, 0.5f)),
                    0,
                    1);
        assertThat(loss).isEqualTo(2);
      }
      // 2 (1 - 1/8) - 1/4 * 2 * 3 = 0.25; 3 (1 - 1/8) - 1/4 * 2 * 2 = 1.625; biases -1/4 * 2.
      assertThat(p.floats()[0]).isEqualTo(0.25f);
      assertThat(q.floats()[0]).isEqualTo(1.625f);
      assertThat(p.floats()[shape.bias()]).isEqualTo(-0.5f);
      assertThat(q.floats()[shape.bias()]).isEqualTo(-0.5f);
    }
  }
}
