package dev.espalier.ps.link;

import dev.espalier.ps.memory.StreamingCopy;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/*
 *   0        128      256               384              4096
 *   +--------+--------+-----------------+----------------+-----------------------------+
 *   | tail l | head l | reader sleeps i | writer reads   | bytes, a ring of CAPACITY   |
 *   |        |        |                 | pages i        |                             |
 *   +--------+--------+-----------------+----------------+-----------------------------+
 *
 * `tail` counts the bytes ever written and is set by the writer alone, `head` those ever read and is
 * set by the reader alone; each has a cache line, and the one beside it that is fetched along, to
 * itself. Before the reader sleeps it says so and looks once more; a writer that reads this flag after
 * it has moved `tail` therefore either finds it set or was seen.
 */

/// Bytes from one process to another through memory that both have mapped.
///
/// One thread at a time writes, one at a time reads, each in its process.
final class MemoryRing {
  /// So large that a large message makes its writer, and its reader, wait seldom: a wait costs as
  /// much as the copy of some hundred KiB. Fits into the cache that cores share.
  static final int CAPACITY = 4 << 20;

  private static final long TAIL = 0;
  private static final long HEAD = 128;
  private static final long SLEEPS = 256;
  private static final long READS_PAGES = 384;
  private static final long DATA = 4096;
  static final long BYTES = DATA + CAPACITY;

  /// The other side goes on while so many bytes are copied.
  private static final int STEP_BYTES = 64 << 10;

  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

  private final MemorySegment memory;
  private final ByteBuffer view;
  private final StorePace pace = new StorePace(StreamingCopy.ofThisMachine().isPresent());
  private long handedOut;

  /// @param memory zeroed by the system when it was made
  MemoryRing(MemorySegment memory) {
    this.memory = memory;
    view = memory.asSlice(DATA, CAPACITY).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  // ---- the writer's side

  /// Copies as many bytes as there is room for.
  ///
  /// @return how many, 0 when the ring is full
  int write(Piece source, long offset) {
    long tail = (long) LONG.get(memory, TAIL);
    long room = CAPACITY - (tail - (long) LONG.getAcquire(memory, HEAD));
    long place = tail % CAPACITY;
    int count =
        (int)
            Math.min(
                Math.min(room, CAPACITY - place), Math.min(STEP_BYTES, source.bytes() - offset));
    if (count > 0) {
      copy(source, offset, DATA + place, count);
      LONG.setVolatile(memory, TAIL, tail + count);
    }
    return count;
  }

  private void copy(Piece source, long offset, long place, int count) {
    if (count < STEP_BYTES || !(source instanceof Piece.Together(MemorySegment from))) {
      source.copy(offset, memory, place, count);
      return;
    }
    boolean streams = pace.streamsNext();
    long start = System.nanoTime();
    if (streams) {
      StreamingCopy.ofThisMachine().orElseThrow().copy(from, offset, memory, place, count);
    } else {
      source.copy(offset, memory, place, count);
    }
    pace.took(streams, System.nanoTime() - start);
  }

  /// How many bytes there is room for.
  long room() {
    return CAPACITY - ((long) LONG.get(memory, TAIL) - (long) LONG.getAcquire(memory, HEAD));
  }

  /// Whether the reader has to be woken; true once.
  boolean takeSleep() {
    return (int) INT.getVolatile(memory, SLEEPS) != 0
        && (int) INT.getAndSet(memory, SLEEPS, 0) != 0;
  }

  /// Says, before the first byte, that the writer has mapped the reader's pages.
  void sayPagesAreRead() {
    INT.setVolatile(memory, READS_PAGES, 1);
  }

  // ---- the reader's side

  /// Whether the writer has mapped the reader's pages.
  boolean arePagesRead() {
    return (int) INT.getVolatile(memory, READS_PAGES) != 0;
  }

  /// Gives back what [#read] returned before and says what there is now.
  ///
  /// @return bytes that lie together, empty when there are none; the same buffer each time
  ByteBuffer read() {
    release();
    long head = (long) LONG.get(memory, HEAD);
    long ready = (long) LONG.getVolatile(memory, TAIL) - head;
    int place = (int) (head % CAPACITY);
    handedOut = Math.min(Math.min(ready, CAPACITY - place), STEP_BYTES);
    return view.limit(place + (int) handedOut).position(place);
  }

  /// Gives back what [#read] returned before.
  void release() {
    if (handedOut > 0) {
      LONG.setRelease(memory, HEAD, (long) LONG.get(memory, HEAD) + handedOut);
      handedOut = 0;
    }
  }

  /// Whether there is nothing to read, when all that was handed out has been given back.
  boolean isEmpty() {
    return (long) LONG.getVolatile(memory, TAIL) == (long) LONG.get(memory, HEAD);
  }

  /// Says that the reader will sleep until it is woken.
  void sleep() {
    INT.setVolatile(memory, SLEEPS, 1);
  }

  /// Says that the reader is awake.
  void wake() {
    INT.setVolatile(memory, SLEEPS, 0);
  }
}
