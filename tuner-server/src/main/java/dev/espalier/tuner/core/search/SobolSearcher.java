package dev.espalier.tuner.core.search;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.apache.commons.math3.random.SobolSequenceGenerator;

/// Walks a Sobol sequence, shifted digitally by the seed; it never ends.
///
/// The sequence fills the cube more evenly than random draws do (Sobol 1967; direction numbers of
/// Joe and Kuo 2008). The digital shift, an exclusive or of all bits of a coordinate, keeps that
/// and makes seeds differ.
final class SobolSearcher implements Searcher {
  /// Bits of a coordinate in the generator of Commons Math.
  private static final int BITS = 52;

  private final SearchSpace space;
  private final long[] shifts;

  SobolSearcher(SearchSpace space, long seed) {
    this.space = space;
    this.shifts = new long[space.dimensions()];
    SplittableRandom random = Seeds.stream(seed, 0);
    for (int i = 0; i < shifts.length; i++) {
      shifts[i] = random.nextLong() >>> (Long.SIZE - BITS);
    }
  }

  @Override
  public Optional<Setting> propose(List<Observation> observations, long draw) {
    var sequence = new SobolSequenceGenerator(space.dimensions());
    double[] unit = sequence.skipTo(Math.toIntExact(draw));
    for (int i = 0; i < unit.length; i++) {
      long digits = (long) Math.scalb(unit[i], BITS);
      unit[i] = Math.scalb((double) (digits ^ shifts[i]), -BITS);
    }
    return Optional.of(space.fromUnit(unit));
  }
}
