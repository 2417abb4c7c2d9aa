package dev.espalier.data;

import java.util.SplittableRandom;

/// The order in which training samples are visited, as a function of a position.
///
/// Position p is the p-th sample that all workers together take since the job began. Every epoch is
/// a fresh permutation of all samples that depends on the seed and the epoch's number alone, so all
/// branches and workers with the same position see the same samples, and a fork copies a `long`.
/// Where samples come in runs, it is the runs that are permuted; the last one may be shorter. Not
/// safe for use by several threads: it keeps the permutations it used last.
public final class ShuffledCursor {
  /* A batch may cross into the next epoch, and sibling branches may stand on either side. */
  private static final int CACHED_EPOCHS = 2;

  private final int samples;
  private final int samplesPerRun;
  private final long seed;
  private final int[][] permutations = new int[CACHED_EPOCHS][];
  private final long[] epochs = {-1, -1};

  /// @param samples number of training samples, >= 1
  /// @param seed the job's seed
  public ShuffledCursor(int samples, long seed) {
    this(samples, 1, seed);
  }

  /// @param samples number of training samples, >= 1
  /// @param samplesPerRun samples that stay together, >= 1
  /// @param seed the job's seed
  public ShuffledCursor(int samples, int samplesPerRun, long seed) {
    if (samples < 1 || samplesPerRun < 1) {
      throw new IllegalArgumentException(
          "samples and samplesPerRun must be >= 1 but are " + samples + " and " + samplesPerRun);
    }
    this.samples = samples;
    this.samplesPerRun = samplesPerRun;
    this.seed = seed;
  }

  /// Fills `target` with the samples at positions [position, position + count).
  ///
  /// @param position >= 0
  /// @param target receives `count` indices in [0, samples) from 0
  public void indices(long position, int count, int[] target) {
    if (position < 0 || count < 0) {
      throw new IllegalArgumentException(
          "position and count must be >= 0 but are " + position + " and " + count);
    }
    int filled = 0;
    while (filled < count) {
      long epoch = (position + filled) / samples;
      int offset = (int) ((position + filled) % samples);
      int part = Math.min(count - filled, samples - offset);
      System.arraycopy(permutation(epoch), offset, target, filled, part);
      filled += part;
    }
  }

  /// {@return the samples at positions [position, position + count)}
  public int[] indices(long position, int count) {
    int[] target = new int[count];
    indices(position, count, target);
    return target;
  }

  private int[] permutation(long epoch) {
    int slot = (int) (epoch % CACHED_EPOCHS);
    int[] permutation = permutations[slot];
    if (permutation == null) {
      permutation = new int[samples];
      permutations[slot] = permutation;
    }
    if (epochs[slot] != epoch) {
      shuffle(permutation, epoch);
      epochs[slot] = epoch;
    }
    return permutation;
  }

  private void shuffle(int[] permutation, long epoch) {
    int[] runs = samplesPerRun == 1 ? permutation : new int[Math.ceilDiv(samples, samplesPerRun)];
    for (int i = 0; i < runs.length; i++) {
      runs[i] = i;
    }
    // A split stream per epoch would need all epochs before it; mixing seed and epoch does not.
    var random = new SplittableRandom(mix(seed ^ mix(epoch + 1)));
    for (int i = runs.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = runs[i];
      runs[i] = runs[j];
      runs[j] = swapped;
    }
    if (samplesPerRun > 1) {
      layOut(runs, permutation);
    }
  }

  private void layOut(int[] runs, int[] permutation) {
    int next = 0;
    for (int run : runs) {
      int end = Math.min(samples, (run + 1) * samplesPerRun);
      for (int sample = run * samplesPerRun; sample < end; sample++) {
        permutation[next++] = sample;
      }
    }
  }

  /// The finaliser of MurmurHash3: every input bit reaches every output bit.
  private static long mix(long value) {
    long z = value * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 33)) * 0xFF51AFD7ED558CCDL;
    z = (z ^ (z >>> 33)) * 0xC4CEB9FE1A85EC53L;
    return z ^ (z >>> 33);
  }
}
