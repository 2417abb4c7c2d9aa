package dev.espalier.programs.mf;

import static dev.espalier.sdk.OpenRows.MEMORY;

import dev.espalier.data.Ratings;
import dev.espalier.sdk.OpenRows;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// [FactorSteps] with the widest vectors of the machine; needs rows in whole vectors, see
/// [FactorShape#inLines].
///
/// Products are fused and added up in another order than in the plain form, so results differ in
/// the last bits from those of a machine with other vectors.
final class VectorFactorSteps implements FactorSteps {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  @Override
  public double take(
      OpenRows users,
      OpenRows items,
      FactorShape shape,
      Ratings ratings,
      int[] samples,
      int from,
      int to,
      Constants constants) {
    if (shape.bias() % LANES != 0) {
      throw new IllegalArgumentException(
          "factors must fill whole vectors of %d floats but end at %d"
              .formatted(LANES, shape.bias()));
    }
    var pairs = new RowPairs();
    double lossSum = 0;
    for (int first = from; first < to; first += RowPairs.MAX_COUNT) {
      int count = Math.min(RowPairs.MAX_COUNT, to - first);
      pairs.find(users, items, ratings, samples, first, count);
      lossSum += take(pairs, count, 4L * shape.bias(), constants);
    }
    return lossSum / 2;
  }

  private static double take(RowPairs pairs, int count, long factorBytes, Constants constants) {
    long[] users = pairs.users();
    long[] items = pairs.items();
    float[] values = pairs.values();
    float shrink = 1 - constants.learningRate() * constants.l2();
    FloatVector shrinks = FloatVector.broadcast(SPECIES, shrink);
    double squares = 0;
    for (int i = 0; i < count; i++) {
      long p = users[i];
      long q = items[i];
      FloatVector sums = load(p).mul(load(q));
      for (long at = 4L * LANES; at < factorBytes; at += 4L * LANES) {
        sums = load(p + at).fma(load(q + at), sums);
      }
      float bu = MEMORY.get(FLOAT, p + factorBytes);
      float bi = MEMORY.get(FLOAT, q + factorBytes);
      float error = constants.mean() + bu + bi + sums.reduceLanes(VectorOperators.ADD) - values[i];
      float step = -constants.learningRate() * error;
      FloatVector steps = FloatVector.broadcast(SPECIES, step);
      for (long at = 0; at < factorBytes; at += 4L * LANES) {
        FloatVector pk = load(p + at);
        FloatVector qk = load(q + at);
        qk.fma(steps, pk.mul(shrinks)).intoMemorySegment(MEMORY, p + at, ORDER);
        pk.fma(steps, qk.mul(shrinks)).intoMemorySegment(MEMORY, q + at, ORDER);
      }
      MEMORY.set(FLOAT, p + factorBytes, shrink * bu + step);
      MEMORY.set(FLOAT, q + factorBytes, shrink * bi + step);
      squares += error * error;
    }
    return squares;
  }

  private static FloatVector load(long position) {
    return FloatVector.fromMemorySegment(SPECIES, MEMORY, position, ORDER);
  }
}
