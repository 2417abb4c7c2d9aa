package dev.espalier.ps.table;

import java.util.concurrent.atomic.AtomicInteger;

/// An array of values that leaves in parts, one for each receiver, and goes back to where it came
/// from when all of them have let theirs go. A receiver that never does only costs the next array.
///
/// Parts are cut by one thread, and may be let go by any.
public final class CutArray {
  private final float[] array;
  private final ArraySource source;

  /// One for who cuts, and one for each part.
  private final AtomicInteger holders = new AtomicInteger(1);

  /// @param array that is nobody else's
  public CutArray(float[] array, ArraySource source) {
    this.array = array;
    this.source = source;
  }

  /// Cuts a part off, which may be all.
  ///
  /// @param from index of the first value
  /// @param count number of values
  public RowValues part(int from, int count) {
    holders.incrementAndGet();
    return new RowValues.Slice(array, from, count, this::letGo);
  }

  /// Says that no more parts will be cut.
  public void end() {
    letGo();
  }

  private void letGo() {
    if (holders.decrementAndGet() == 0) {
      source.giveBack(array);
    }
  }
}
