package dev.espalier.programs.mf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.data.Ratings;
import dev.espalier.data.ShuffledCursor;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RatingBlocksTest {

  /// Skewed ratings, whose values are their numbers.
  private static Ratings ratings(int count, int users, int items) {
    var random = new SplittableRandom(3);
    var ratings = new Ratings(count, new int[count], new int[count], new float[count]);
    for (int i = 0; i < count; i++) {
      double u = random.nextDouble();
      ratings.users()[i] = random.nextInt(users);
      ratings.items()[i] = (int) (items * u * u * u);
      ratings.values()[i] = i;
    }
    return ratings;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void theOrderHasEveryRatingOnce(int threads) {
    Ratings ratings = ratings(40_000, 500, 400);
    Ratings arranged = RatingBlocks.arrange(ratings, 4096, threads).ratings();
    float[] sorted = arranged.values().clone();
    Arrays.sort(sorted);
    assertThat(sorted).isEqualTo(ratings.values());
    for (int i = 0; i < arranged.count(); i++) {
      int before = (int) arranged.values()[i];
      assertThat(arranged.users()[i]).isEqualTo(ratings.users()[before]);
      assertThat(arranged.items()[i]).isEqualTo(ratings.items()[before]);
    }
  }

  @Test
  void popularRowsAreTogether() {
    Ratings arranged = RatingBlocks.arrange(ratings(40_000, 500, 400), 4096, 1).ratings();
    long rowsOfRuns = 0;
    for (int run = 0; run + 1000 <= arranged.count(); run += 1000) {
      rowsOfRuns += Arrays.stream(arranged.users(), run, run + 1000).distinct().count();
      rowsOfRuns += Arrays.stream(arranged.items(), run, run + 1000).distinct().count();
    }
    assertThat(rowsOfRuns / 40).as("rows of 1000 ratings, of 900").isLessThan(450);
  }

  /// Samples of a clock as a cursor gives them, without some that are held out, or in any order.
  private static int[] samples(RatingBlocks blocks, boolean isShuffled) {
    int count = blocks.ratings().count();
    int[] samples =
        new ShuffledCursor(count, isShuffled ? 1 : blocks.samplesPerRun(), 5)
            .indices(count / 3, count / 2);
    return Arrays.stream(samples).filter(sample -> sample % 97 != 0).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void threadsTakeEverySampleOnceAndShareNoRowInATurn(int threads) {
    for (Ratings ratings : new Ratings[] {ratings(40_000, 500, 400), ratings(300, 2, 90)}) {
      RatingBlocks blocks = RatingBlocks.arrange(ratings, 256, threads);
      for (boolean isShuffled : new boolean[] {false, true}) {
        int[] samples = samples(blocks, isShuffled);
        int[] taken = new int[samples.length];
        RatingBlocks.Turns turns = blocks.cut(samples);
        for (int turn = 0; turn < threads; turn++) {
          Set<Integer> users = new HashSet<>();
          Set<Integer> items = new HashSet<>();
          for (int thread = 0; thread < threads; thread++) {
            Set<Integer> itsUsers = new HashSet<>();
            Set<Integer> itsItems = new HashSet<>();
            turns.take(
                thread,
                turn,
                (from, to) -> {
                  for (int i = from; i < to; i++) {
                    taken[i]++;
                    itsUsers.add(blocks.ratings().users()[samples[i]]);
                    itsItems.add(blocks.ratings().items()[samples[i]]);
                  }
                  return 0;
                });
            assertThat(Collections.disjoint(users, itsUsers)).isTrue();
            assertThat(Collections.disjoint(items, itsItems)).isTrue();
            users.addAll(itsUsers);
            items.addAll(itsItems);
          }
        }
        assertThat(taken).containsOnly(1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void threadsHaveAboutAsMuchToDoInEveryTurnOfAClock(int threads) {
    RatingBlocks blocks = RatingBlocks.arrange(ratings(80_000, 800, 500), 256, threads);
    int[] samples =
        new ShuffledCursor(80_000, blocks.samplesPerRun(), 5)
            .indices(0, 2 * blocks.samplesPerRun());
    RatingBlocks.Turns turns = blocks.cut(samples);
    for (int turn = 0; turn < threads; turn++) {
      for (int thread = 0; thread < threads; thread++) {
        double share = turns.take(thread, turn, (from, to) -> to - from);
        assertThat(share * threads * threads / samples.length).isBetween(0.8, 1.2);
      }
    }
  }

  /// A clock is seldom a whole run.
  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void aClockOfOneTurnKeepsAllThreadsBusy(int threads) {
    RatingBlocks blocks = RatingBlocks.arrange(ratings(400_000, 800, 500), 256, threads);
    int[] samples = IntStream.range(0, blocks.samplesPerRun() / threads).toArray();
    RatingBlocks.Turns turns = blocks.cut(samples);
    for (int thread = 0; thread < threads; thread++) {
      double share = 0;
      for (int turn = 0; turn < threads; turn++) {
        share += turns.take(thread, turn, (from, to) -> to - from);
      }
      assertThat(share * threads / samples.length).isBetween(0.5, 1.5);
    }
  }

  @Test
  void anEpochHasRunsToShuffle() {
    for (int threads : IntStream.of(1, 2, 4, 16, 64).toArray()) {
      RatingBlocks blocks = RatingBlocks.arrange(ratings(80_000, 800, 500), 256, threads);
      assertThat(80_000 / blocks.samplesPerRun()).isGreaterThanOrEqualTo(15);
    }
  }
}
