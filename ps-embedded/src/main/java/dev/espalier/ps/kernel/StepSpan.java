package dev.espalier.ps.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// A run of elements of one page that an update rule changes in one call.
///
/// A page holds planes of equal size: plane 0 the parameters, planes 1, 2, ... the optimizer state.
/// Element `i` of plane `p` is read at `from[offset + p * planeBytes + 4 i]` and written at
/// `to[toOffset + p * toPlaneBytes + 4 i]`. Out of place when `to` is another page, in place when
/// it is the same.
///
/// @param from the page as it was
/// @param to the page as it will be; may be `from`
/// @param offset byte offset of element 0 in plane 0 of `from`, and of `seen`
/// @param planeBytes distance of two planes of `from` in bytes
/// @param toOffset byte offset of element 0 in plane 0 of `to`
/// @param toPlaneBytes distance of two planes of `to` in bytes
/// @param gradient sums of per-sample gradients; null when they lie in plane 0 of `to`, which is
///   then another page, and are written over
/// @param gradientOffset index of element 0 in `gradient`
/// @param divisor what a sum is divided by to become the gradient `g` of the formulas, > 0
/// @param length number of elements, >= 0
/// @param seen the page as the pushing worker last read it, for rules that look back; null when
///   nothing was missed
public record StepSpan(
    MemorySegment from,
    MemorySegment to,
    long offset,
    long planeBytes,
    long toOffset,
    long toPlaneBytes,
    float @Nullable [] gradient,
    int gradientOffset,
    float divisor,
    int length,
    @Nullable MemorySegment seen) {

  /// A run that lies at the same place of both pages.
  public StepSpan(
      MemorySegment from,
      MemorySegment to,
      long offset,
      long planeBytes,
      float @Nullable [] gradient,
      int gradientOffset,
      float divisor,
      int length,
      @Nullable MemorySegment seen) {
    this(
        from,
        to,
        offset,
        planeBytes,
        offset,
        planeBytes,
        gradient,
        gradientOffset,
        divisor,
        length,
        seen);
  }

  /// The run without its first elements.
  ///
  /// @param count of these, at most `length`
  public StepSpan after(int count) {
    return part(count, length - count);
  }

  /// The first elements of the run.
  ///
  /// @param count of these, at most `length`
  public StepSpan first(int count) {
    return part(0, count);
  }

  private StepSpan part(int first, int count) {
    long bytes = (long) first * Float.BYTES;
    return new StepSpan(
        from,
        to,
        offset + bytes,
        planeBytes,
        toOffset + bytes,
        toPlaneBytes,
        gradient,
        gradientOffset + first,
        divisor,
        count,
        seen);
  }

  /// Floats in the byte order of the machine, without a promise of alignment.
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /// Byte offset of element `i` of plane `plane` in the page as it will be.
  long toAt(int plane, int i) {
    return toOffset + plane * toPlaneBytes + ((long) i << 2);
  }

  /// Byte offset of element `i` of plane `plane` in the page as it was.
  long at(int plane, int i) {
    return offset + plane * planeBytes + ((long) i << 2);
  }

  /// Old value of element `i` of plane `plane`.
  float get(int plane, int i) {
    return from.get(FLOAT, at(plane, i));
  }

  /// Sets the new value of element `i` of plane `plane`.
  void put(int plane, int i, float value) {
    to.set(FLOAT, toAt(plane, i), value);
  }

  /// Whether multiplying by `1 / divisor` rounds as dividing does: the divisor is a power of two,
  /// as the number of samples of a clock mostly is.
  static boolean hasExactReciprocal(float divisor) {
    int bits = Float.floatToRawIntBits(divisor);
    return (bits & 0x007F_FFFF) == 0 && divisor >= Float.MIN_NORMAL && divisor <= 0x1p126f;
  }

  /// Mean gradient of element `i`.
  float gradient(int i) {
    float[] sums = gradient;
    return (sums == null ? to.get(FLOAT, toAt(0, i)) : sums[gradientOffset + i]) / divisor;
  }
}
