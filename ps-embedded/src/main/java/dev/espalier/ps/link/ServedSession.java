package dev.espalier.ps.link;

import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.transport.FrameCodec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The shard's end of a session with one worker, over one connection after another.
final class ServedSession {
  /*
   * Commands are taken by the thread of the current connection, in order; each is executed once, for
   * a command counts as taken when all of it has come and before it is executed, and the client sends
   * again what was not taken. Replies are kept until the client says that it has them.
   *
   * Whoever has a reply writes it, unless somebody else has the lock: then that one does, when it gives
   * the lock back. A large reply that another worker's command released is written by a thread of its
   * own, not by the one that trains there. The thread that reads never waits for room in a ring: who
   * waits there hears of the other process's end only by what is read.
   *
   * A command that was taken is not sent again, so its reply must come: where there is none, not even
   * of a failure, the session is given up, and the client hears that it is not known any more.
   */
  private static final Logger LOG = System.getLogger(ServedSession.class.getName());
  private static final long SMALL_BYTES = 64 << 10;
  private static final long HAND_OVER_SECONDS = 10;

  private final BufferPool buffers = new BufferPool();
  private final ReentrantLock writing = new ReentrantLock();
  private final Queue<Outgoing> unwritten = new ConcurrentLinkedQueue<>();

  // Guarded by `writing`.
  private final Deque<Outgoing> again = new ArrayDeque<>();
  private final Deque<Outgoing> unreceived = new ArrayDeque<>();
  private volatile long firstUnreceived;
  private @Nullable Wire wire;
  private volatile boolean isClosed;

  // Written by who reads the current connection: its thread, or a visitor in that one's place.
  private final KeyCache keys = new KeyCache();
  private volatile long taken;
  private volatile long received;

  // Guarded by this object.
  private @Nullable Wire expected;
  private @Nullable Wire serving;
  private CountDownLatch ended = new CountDownLatch(0);
  private volatile @Nullable Thread server;
  private long served;

  /// Ends the connection before, so that what was taken is final.
  ///
  /// @param next the connection that will be served
  /// @param repliesReceived by the client
  /// @return commands taken
  long takeOver(Wire next, long repliesReceived) throws IOException {
    CountDownLatch before;
    synchronized (this) {
      expected = next;
      if (serving != null) {
        serving.close();
      }
      before = ended;
    }
    try {
      if (!before.await(HAND_OVER_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("the connection before does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the connection before ended", e);
    }
    received = repliesReceived;
    writing.lock();
    try {
      forgetReceived();
    } finally {
      writing.unlock();
    }
    writeLeft();
    return taken;
  }

  /// Takes commands from the connection that took over last, until it breaks.
  void serve(Wire connection, Shard shard) throws IOException {
    CountDownLatch end = new CountDownLatch(1);
    synchronized (this) {
      if (expected != connection) {
        throw new IOException("another connection took over");
      }
      serving = connection;
      served++;
      ended = end;
      server = Thread.currentThread();
    }
    try {
      attach(connection);
      keys.undo();
      var commands =
          new Commands(connection, new WireReader(connection, keys, shard.arrays()), shard);
      connection.readAll(commands, shard.arrivals());
    } finally {
      detach(connection);
      synchronized (this) {
        if (serving == connection) {
          serving = null;
        }
      }
      end.countDown();
    }
  }

  private void attach(Wire connection) throws IOException {
    writing.lock();
    try {
      if (isClosed) {
        throw new IOException("the session is given up");
      }
      again.addAll(unwrittenFirst());
      wire = connection;
    } finally {
      writing.unlock();
    }
    // The client may be sending, and not reading yet: somebody else writes while this thread reads.
    Thread.startVirtualThread(this::write);
  }

  /// What was written to a connection that broke, before what was not.
  private Deque<Outgoing> unwrittenFirst() {
    Deque<Outgoing> lost = new ArrayDeque<>(unreceived);
    lost.addAll(again);
    unreceived.clear();
    again.clear();
    return lost;
  }

  private void detach(Wire connection) {
    connection.close();
    writing.lock();
    try {
      if (wire == connection) {
        wire = null;
      }
    } finally {
      writing.unlock();
    }
  }

  /// The commands that come over one wire.
  private final class Commands implements Wire.Frames {
    private final Wire connection;
    private final WireReader in;
    private final Shard shard;

    Commands(Wire connection, WireReader in, Shard shard) {
      this.connection = connection;
      this.in = in;
      this.shard = shard;
    }

    @Override
    public boolean isThere() {
      return in.hasBytes();
    }

    @Override
    public void take() throws IOException {
      LinkFrame.Head head = in.next();
      forget(head.received());
      if (head.number() != taken + 1) {
        throw new IOException("command %d came after %d".formatted(head.number(), taken));
      }
      ServedRows rows =
          new ServedRows(
              buffers, connection.sharesPages() ? shard.sharedPages() : Optional.empty());
      var _ =
          execute(in, head.number(), rows, shard)
              .thenAccept(reply -> answer(head.number(), reply, rows));
    }
  }

  /// Reads a command, which counts as taken then whatever it is, and executes it.
  private CompletableFuture<ShardReply> execute(
      WireReader in, long number, ServedRows rows, Shard shard) {
    ShardCommand command;
    try {
      command = FrameCodec.decodeCommand(in);
    } catch (UncheckedIOException cut) {
      throw cut;
    } catch (RuntimeException | OutOfMemoryError e) {
      in.skip();
      keys.lose();
      taken = number;
      return CompletableFuture.completedFuture(ShardReply.Failed.of(e));
    }
    keys.commit();
    taken = number;
    return shard.submit(command, rows);
  }

  private void answer(long number, ShardReply reply, ServedRows rows) {
    Outgoing outgoing;
    try {
      outgoing = Outgoing.of(number, reply, rows, buffers);
    } catch (RuntimeException | OutOfMemoryError e) {
      LOG.log(Level.ERROR, "a session is given up: command " + number + " cannot be answered", e);
      close();
      return;
    }
    boolean isOurs = Thread.currentThread() == server || outgoing.bytes() <= SMALL_BYTES;
    unwritten.add(outgoing);
    if (isOurs) {
      write();
    } else {
      Thread.startVirtualThread(this::write);
    }
  }

  /// Writes what waits; returns at once when somebody else is writing, who then sees to it.
  private void write() {
    Outcome outcome;
    do {
      if (!writing.tryLock()) {
        return;
      }
      try {
        outcome = writeAll();
      } finally {
        writing.unlock();
      }
    } while (outcome == Outcome.ALL_WRITTEN
        && (!unwritten.isEmpty() || firstUnreceived < received));
    if (outcome == Outcome.NO_ROOM) {
      Thread.startVirtualThread(this::write);
    }
  }

  private enum Outcome {
    ALL_WRITTEN,
    /// This thread must not wait for it.
    NO_ROOM,
    NO_WIRE
  }

  private Outcome writeAll() {
    if (isClosed) {
      releaseAll();
      return Outcome.NO_WIRE;
    }
    try {
      forgetReceived();
    } catch (IOException wrong) {
      closeWire();
    }
    while (wire != null) {
      Queue<Outgoing> from = again.isEmpty() ? unwritten : again;
      Outgoing next = from.peek();
      if (next == null) {
        return Outcome.ALL_WRITTEN;
      }
      if (mustNotWait(wire) && !wire.takesAtOnce(next.bytes())) {
        return Outcome.NO_ROOM;
      }
      from.remove();
      unreceived.add(next);
      try {
        next.send(wire, taken);
        forgetReceived();
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        // The thread that reads hears of it, too, and the client asks for the rest again.
        closeWire();
      }
    }
    return Outcome.NO_WIRE;
  }

  private boolean mustNotWait(Wire target) {
    return Arrivals.isTakingIn() || (Thread.currentThread() == server && !target.sendHearsTheEnd());
  }

  private void closeWire() {
    Wire broken = wire;
    if (broken != null) {
      broken.close();
      wire = null;
    }
  }

  /// Forgets replies that the client has; where somebody is writing, that one does. To wait for who
  /// writes would be to wait for the client, which may be waiting for this very thread.
  private void forget(long repliesReceived) throws IOException {
    received = repliesReceived;
    if (!writing.tryLock()) {
      return;
    }
    boolean isToSendAgain;
    try {
      forgetReceived();
      isToSendAgain = !again.isEmpty();
    } finally {
      writing.unlock();
    }
    if (isToSendAgain) {
      // Whoever was to may have come while this thread had the lock.
      Thread.startVirtualThread(this::write);
    } else {
      writeLeft();
    }
  }

  private void forgetReceived() throws IOException {
    long forgotten = firstUnreceived;
    while (forgotten < received) {
      Outgoing first = unreceived.poll();
      if (first == null) {
        throw new IOException("more replies were received than sent");
      }
      first.release();
      firstUnreceived = ++forgotten;
    }
  }

  /// Writes what others left to this thread while it had the lock.
  private void writeLeft() {
    if (!unwritten.isEmpty()) {
      write();
    }
  }

  /// Whether nobody can be served any more.
  boolean isClosed() {
    return isClosed;
  }

  /// Connections that have been served, the current one included.
  synchronized long served() {
    return served;
  }

  /// Whether there is no connection, and none has been served after so many.
  synchronized boolean isUnservedSince(long before) {
    return serving == null && served == before;
  }

  /// Gives up the replies that nobody will ask for.
  void close() {
    synchronized (this) {
      if (serving != null) {
        serving.close();
      }
    }
    writing.lock();
    try {
      isClosed = true;
      wire = null;
      releaseAll();
    } finally {
      writing.unlock();
    }
    writeLeft();
  }

  private void releaseAll() {
    for (Deque<Outgoing> queue : List.of(unreceived, again)) {
      queue.forEach(Outgoing::release);
      queue.clear();
    }
    for (Outgoing next = unwritten.poll(); next != null; next = unwritten.poll()) {
      next.release();
    }
  }
}
