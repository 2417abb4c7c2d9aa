package dev.espalier.data;

/// Which samples a worker trains on, as a function of how many all workers have taken.
///
/// Samples that are held out are never among them. Either all workers take from one order, each its
/// part of a clock's samples, so that a sample goes to any worker; or they are dealt out: worker w
/// of W has every W-th training sample, from the w-th, and goes through its own in an order of its
/// own. Not safe for use by several threads.
public final class SampleOrder {
  private final SampleSplit split;
  private final int worker;
  private final int workers;
  private final boolean isDealtOut;
  private final int own;
  private final ShuffledCursor cursor;

  /// @param split what is trained on
  /// @param samplesPerRun samples that stay together, >= 1; dealt out, of a worker's own
  /// @param seed the job's seed
  /// @param worker its number, in [0, workers)
  /// @param isDealtOut whether each sample belongs to one worker for good
  public SampleOrder(
      SampleSplit split,
      int samplesPerRun,
      long seed,
      int worker,
      int workers,
      boolean isDealtOut) {
    this.split = split;
    this.worker = worker;
    this.workers = workers;
    this.isDealtOut = isDealtOut;
    int samples = split.training().length;
    this.own = isDealtOut ? Math.ceilDiv(samples - worker, workers) : samples;
    this.cursor = new ShuffledCursor(Math.max(1, own), samplesPerRun, seed);
  }

  /// {@return this worker's samples of a clock, `batch` of them; none where it has none of its own}
  ///
  /// @param position samples that all workers took before, a multiple of their number
  /// @param batch samples per worker, >= 0
  public int[] samples(long position, int batch) {
    if (!isDealtOut) {
      return split.toSamples(cursor.indices(position + (long) worker * batch, batch));
    }
    if (own <= 0) {
      return new int[0];
    }
    int[] places = cursor.indices(position / workers, batch);
    for (int i = 0; i < places.length; i++) {
      places[i] = places[i] * workers + worker;
    }
    return split.toSamples(places);
  }
}
