package dev.espalier.programs.mf;

import static dev.espalier.sdk.OpenRows.MEMORY;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// [FactorSteps] with the widest vectors of the machine; needs rows in whole vectors, see
/// [FactorShape#inLines].
///
/// Products are fused and added up in another order than in the plain form, so results differ in
/// the last bits from those of a machine with other vectors. On one machine they are the same in
/// every run.
final class VectorFactorSteps implements FactorSteps {
  /// The widest that `sum` knows.
  private static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.vectorBitSize() > 512
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;

  private static final int LANES = SPECIES.length();

  private static final VectorShuffle<Float> BY_8 = rotation(8);
  private static final VectorShuffle<Float> BY_4 = rotation(4);
  private static final VectorShuffle<Float> BY_2 = rotation(2);
  private static final VectorShuffle<Float> BY_1 = rotation(1);

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  @Override
  public double take(Work work, int from, int to) {
    if (work.shape().bias() % LANES != 0) {
      throw new IllegalArgumentException(
          "factors must fill whole vectors of %d floats but end at %d"
              .formatted(LANES, work.shape().bias()));
    }
    if (from == to) {
      return 0;
    }
    double squares =
        work.users().isTogether() && work.items().isTogether()
            ? takeTogether(work, from, to)
            : takeApart(work, from, to);
    return squares / 2;
  }

  /// Rows are where a multiplication says: it costs nothing beside a step.
  private static double takeTogether(Work work, int from, int to) {
    long rowBytes = 4L * work.shape().columns();
    long factorBytes = 4L * work.shape().bias();
    long firstUser = work.users().at(0);
    long firstItem = work.items().at(0);
    int userCount = work.users().rows();
    int itemCount = work.items().rows();
    int[] samples = work.samples();
    int[] user = work.ratings().users();
    int[] item = work.ratings().items();
    float[] values = work.ratings().values();
    Constants constants = work.constants();
    FloatVector shrinks = shrinks(constants);
    double squares = 0;
    for (int i = from; i < to; i++) {
      int sample = samples[i];
      long p = firstUser + Objects.checkIndex(user[sample], userCount) * rowBytes;
      long q = firstItem + Objects.checkIndex(item[sample], itemCount) * rowBytes;
      float error =
          step(
              p,
              q,
              factorBytes,
              constants.mean() - values[sample],
              constants.learningRate(),
              shrinks);
      squares += error * error;
    }
    return squares;
  }

  /// Rows are found some hundred at a time before they are used.
  private static double takeApart(Work work, int from, int to) {
    var pairs = new RowPairs();
    double squares = 0;
    for (int first = from; first < to; first += RowPairs.MAX_COUNT) {
      int count = Math.min(RowPairs.MAX_COUNT, to - first);
      pairs.find(work, first, count);
      squares += take(pairs, count, 4L * work.shape().bias(), work.constants());
    }
    return squares;
  }

  private static double take(RowPairs pairs, int count, long factorBytes, Constants constants) {
    long[] users = pairs.users();
    long[] items = pairs.items();
    float[] values = pairs.values();
    FloatVector shrinks = shrinks(constants);
    double squares = 0;
    for (int i = 0; i < count; i++) {
      float error =
          step(
              users[i],
              items[i],
              factorBytes,
              constants.mean() - values[i],
              constants.learningRate(),
              shrinks);
      squares += error * error;
    }
    return squares;
  }

  private static FloatVector shrinks(Constants constants) {
    return FloatVector.broadcast(SPECIES, 1 - constants.learningRate() * constants.l2());
  }

  /// One step.
  ///
  /// @param p position of the user's row
  /// @param q position of the item's row
  /// @param meanLess the mean less the rating
  /// @return the error before the step
  private static float step(
      long p, long q, long factorBytes, float meanLess, float learningRate, FloatVector shrinks) {
    float bu = MEMORY.get(FLOAT, p + factorBytes);
    float bi = MEMORY.get(FLOAT, q + factorBytes);
    FloatVector sums = load(p).mul(load(q));
    // Told apart by `!=`: a loop with `<` is compiled into three, for many times round.
    for (long at = 4L * LANES; at != factorBytes; at += 4L * LANES) {
      sums = load(p + at).fma(load(q + at), sums);
    }
    float error = meanLess + bu + bi + sum(sums);
    float step = -learningRate * error;
    FloatVector steps = FloatVector.broadcast(SPECIES, step);
    for (long at = 0; at != factorBytes; at += 4L * LANES) {
      FloatVector pk = load(p + at);
      FloatVector qk = load(q + at);
      qk.fma(steps, pk.mul(shrinks)).intoMemorySegment(MEMORY, p + at, ORDER);
      pk.fma(steps, qk.mul(shrinks)).intoMemorySegment(MEMORY, q + at, ORDER);
    }
    float shrink = shrinks.lane(0);
    MEMORY.set(FLOAT, p + factorBytes, shrink * bu + step);
    MEMORY.set(FLOAT, q + factorBytes, shrink * bi + step);
    return error;
  }

  private static VectorShuffle<Float> rotation(int lanes) {
    return VectorShuffle.fromOp(SPECIES, i -> (i + lanes) % LANES);
  }

  /// Adds up lanes, always in the same order: `reduceLanes` has another one before it is compiled.
  private static float sum(FloatVector lanes) {
    FloatVector sums = lanes;
    if (LANES > 8) {
      sums = sums.add(sums.rearrange(BY_8));
    }
    if (LANES > 4) {
      sums = sums.add(sums.rearrange(BY_4));
    }
    if (LANES > 2) {
      sums = sums.add(sums.rearrange(BY_2));
    }
    sums = sums.add(sums.rearrange(BY_1));
    return sums.lane(0);
  }

  private static FloatVector load(long position) {
    return FloatVector.fromMemorySegment(SPECIES, MEMORY, position, ORDER);
  }
}
