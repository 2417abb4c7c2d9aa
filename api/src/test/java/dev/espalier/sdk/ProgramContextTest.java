package dev.espalier.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Setting;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProgramContextTest {
  private record Place(int worker, int workers) implements ProgramContext {
    @Override
    public Setting setting() {
      return Setting.EMPTY;
    }

    @Override
    public ParameterTable table(String name) {
      throw new IllegalArgumentException("the program declared no table " + name);
    }

    @Override
    public int[] samples() {
      return new int[0];
    }

    @Override
    public long clock() {
      return 0;
    }

    @Override
    public RandomGenerator random() {
      return RandomGenerator.getDefault();
    }
  }

  @Test
  void sharesOfAllWorkersMakeUpTheWhole() {
    for (int workers = 1; workers <= 4; workers++) {
      int count = workers;
      int[] all =
          IntStream.range(0, workers)
              .flatMap(worker -> Arrays.stream(new Place(worker, count).share(10, 17)))
              .sorted()
              .toArray();

      assertThat(all).as("%d workers", workers).containsExactly(10, 11, 12, 13, 14, 15, 16);
    }
    assertThat(new Place(1, 3).share(10, 17)).containsExactly(11, 14);
  }

  @Test
  void batchesMakeUpTheShare() {
    assertThat(new Place(1, 2).shareInBatches(10, 21, 2))
        .containsExactly(new int[] {11, 13}, new int[] {15, 17}, new int[] {19});
    assertThat(new Place(2, 3).shareInBatches(0, 2, 5)).isEmpty();
  }

  @Test
  void shareIsEmptyWhereSamplesAreFewerThanWorkers() {
    assertThat(new Place(2, 3).share(0, 2)).isEmpty();
  }

  @Test
  void meanOfNoSamplesIsZeroAndDivergenceStays() {
    assertThat(Evaluation.mean("loss", 0, 0).metrics()).containsEntry("loss", 0.0);
    assertThat(Evaluation.mean("loss", 3, 2).metrics()).containsEntry("loss", 1.5);
    assertThat(Evaluation.mean("loss", Double.NaN, 2).metrics()).containsEntry("loss", Double.NaN);
  }
}
