package dev.espalier.ps.link;

import dev.espalier.ps.shard.Arrivals;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Whose turn it is to read the frames that come through shared memory: that of the thread that
/// owns the wire, or, while that one sleeps between two frames, of one that waits for what they
/// bring.
final class ReadTurn implements Arrivals.Source {
  /*
   * The owner sleeps in a read of the socket, where only the other process wakes it: who reads in its
   * place cannot. So a visitor that leaves first says that the reader sleeps, as the owner does, and
   * then either finds nothing, and whatever comes later rings, or reads on, frame by frame. An owner
   * that was rung for meanwhile does not sleep again but waits until the visitor has left.
   */
  private enum State {
    OWNED,
    ASLEEP,
    VISITED
  }

  private static final long PAUSE_NANOS = 20_000;

  private final SocketChannel channel;
  private final MemoryRing in;
  private final Wire.Frames frames;
  private final ByteBuffer heard = ByteBuffer.allocateDirect(64);
  private final AtomicReference<State> state = new AtomicReference<>(State.OWNED);

  /// From when a visitor begins to leave until the next one comes.
  private volatile boolean isVisitorLeaving;

  private volatile boolean isOwnerWaiting;

  // Of who has the turn.
  private volatile @Nullable Throwable failure;

  /// @param channel a blocking socket; a byte on it says that something has come
  ReadTurn(SocketChannel channel, MemoryRing in, Wire.Frames frames) {
    this.channel = channel;
    this.in = in;
    this.frames = frames;
  }

  // ---- the owner's side

  /// Waits for a frame that no visitor has read.
  ///
  /// @throws IOException when no more will come, and nobody reads any more; what a visitor failed
  ///   with is thrown as it was
  void awaitFrame() throws IOException {
    while (!isFrameThere() && !Look.sees(() -> !in.isEmpty())) {
      in.sleep();
      if (in.isEmpty()) {
        sleep();
      }
      in.wake();
    }
  }

  private void sleep() throws IOException {
    state.set(State.ASLEEP);
    try {
      sleepUntilRungFor();
      throwFailureOfVisitor();
    } catch (IOException | RuntimeException | Error e) {
      close();
      awaitTurn();
      throwFailureOfVisitor();
      if (!isFrameThere()) {
        throw e;
      }
      // Came before the end, of which the next read of the socket tells again.
    }
  }

  private void sleepUntilRungFor() throws IOException {
    do {
      if (channel.read(heard.clear()) < 0) {
        throw new EOFException("the other process closed the connection");
      }
      if (isVisitorLeaving) {
        awaitTurn();
        return;
      }
    } while (!state.compareAndSet(State.ASLEEP, State.OWNED));
  }

  private void awaitTurn() {
    isOwnerWaiting = true;
    while (state.get() != State.OWNED && !state.compareAndSet(State.ASLEEP, State.OWNED)) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    isOwnerWaiting = false;
  }

  private void throwFailureOfVisitor() throws IOException {
    switch (failure) {
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> {
        // The owner's own failure it is.
      }
    }
  }

  /// Whether the wire's own thread reads.
  boolean isOwned() {
    return state.get() == State.OWNED;
  }

  // ---- the visitor's side

  @Override
  public boolean take() {
    if (isWanted() || !state.compareAndSet(State.ASLEEP, State.VISITED)) {
      return false;
    }
    isVisitorLeaving = false;
    in.wake();
    return true;
  }

  @Override
  public boolean readNext() {
    if (failure != null || !isFrameThere()) {
      return false;
    }
    try {
      frames.take();
    } catch (IOException | RuntimeException | Error e) {
      failure = e;
      close();
    }
    return true;
  }

  @Override
  public boolean isWanted() {
    return failure != null || isOwnerWaiting;
  }

  @Override
  public void giveBack() {
    isVisitorLeaving = true;
    while (true) {
      in.sleep();
      boolean isMoreThere = failure == null && isFrameThere();
      state.set(State.ASLEEP);
      if (!isMoreThere || isOwnerWaiting || !state.compareAndSet(State.ASLEEP, State.VISITED)) {
        return;
      }
      readNext();
    }
  }

  // ---- both sides

  private boolean isFrameThere() {
    if (frames.isThere()) {
      return true;
    }
    in.release();
    return !in.isEmpty();
  }

  private void close() {
    try {
      channel.close();
    } catch (IOException _) {
      // It is of no use any more in any case.
    }
  }
}
