package dev.espalier.ps.shard;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.memory.StreamingCopy;
import dev.espalier.ps.optim.UpdateRule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A step into a fresh page that does not read the page first: piece by piece into the innermost
/// cache, and from there past all caches into the page.
///
/// Not thread-safe; the shard guards it.
final class StreamedStep {
  /// Small pieces: the stores of one go out while the next is computed.
  private static final int PIECE = 128;

  private static final long PIECE_BYTES = (long) PIECE * Float.BYTES;

  private final StreamingCopy copy;
  private final MemorySegment piece =
      Arena.ofAuto().allocate(PIECE_BYTES, StreamingCopy.UNIT_BYTES);

  StreamedStep(StreamingCopy copy) {
    this.copy = copy;
  }

  /// Takes a step of a rule without state.
  ///
  /// @param whole out of place
  void take(UpdateRule rule, RowKernels kernels, StepSpan whole, TablePart.Step step) {
    int streamed = streamedLength(whole);
    long to = whole.to().address() + whole.toOffset();
    for (int from = 0; from < streamed; from += PIECE) {
      rule.step(
          kernels,
          part(whole, from, PIECE, piece, 0, PIECE_BYTES),
          step.stepSize(),
          step.stepNumber());
      copy.copy(to + (long) from * Float.BYTES, piece.address(), PIECE_BYTES);
    }
    if (streamed < whole.length()) {
      long offset = whole.toOffset() + (long) streamed * Float.BYTES;
      rule.step(
          kernels,
          part(
              whole, streamed, whole.length() - streamed, whole.to(), offset, whole.toPlaneBytes()),
          step.stepSize(),
          step.stepNumber());
    }
    copy.fence();
  }

  /// How many elements can be streamed: whole pieces, if they are inside the page.
  private static int streamedLength(StepSpan whole) {
    int length = whole.length() / PIECE * PIECE;
    long end = whole.toOffset() + (long) length * Float.BYTES;
    boolean fits =
        length > 0
            && end <= whole.to().byteSize()
            && whole.toOffset() >= 0
            && StreamingCopy.fits(whole.to().address() + whole.toOffset(), PIECE_BYTES);
    return fits ? length : 0;
  }

  private static StepSpan part(
      StepSpan whole, int from, int length, MemorySegment to, long toOffset, long toPlaneBytes) {
    return new StepSpan(
        whole.from(),
        to,
        whole.offset() + (long) from * Float.BYTES,
        whole.planeBytes(),
        toOffset,
        toPlaneBytes,
        whole.gradient(),
        whole.gradientOffset() + from,
        whole.divisor(),
        length,
        whole.seen());
  }
}
