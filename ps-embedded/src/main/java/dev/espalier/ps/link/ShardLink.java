package dev.espalier.ps.link;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.ArrayPool;
import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.ShardRoute;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The way to another process's shard: one connection, and after a cut another one.
///
/// No command is lost or executed twice by a cut. Thread-safe; the commands of one thread arrive in
/// the order in which they were sent.
public final class ShardLink implements ShardRoute {
  /*
   * A command's frame is kept until the shard says that it has all of it. Large arrays are not part
   * of it but stay the caller's: they are copied once, to where the wire takes them, and rows once, from
   * the wire's memory into the reader's array. After a cut a new connection is made in the name of the same
   * session, the shard says how many commands it has, and the rest is sent again. Replies likewise.
   *
   * Who reads, the link's thread or a visitor, never waits for the lock that senders hold while they
   * write: the shard might not read on before its replies are read. So what the shard has is only
   * noted by the reader, and forgotten by the next sender; and what is sent again is sent by a thread
   * of its own.
   */
  private static final Logger LOG = System.getLogger(ShardLink.class.getName());
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(10);
  private static final Duration LAST_PAUSE = Duration.ofMillis(500);

  /// A port that refuses has no process behind it any more.
  private static final Duration REFUSED_PATIENCE = Duration.ofSeconds(1);

  private record Question(
      CompletableFuture<ShardReply> reply, ShardCommand command, @Nullable RowTarget target) {}

  private record Connection(Wire wire, long received) {}

  /// A command that the shard may not have yet.
  private record Sent(LinkFrame frame, ShardCommand command) {

    /// The shard has all of it, so that the caller's arrays are not needed any more.
    void release() {
      frame.release();
      if (command instanceof ShardCommand.Push push) {
        push.batches().forEach(RowBatch::release);
      }
    }
  }

  private final int shard;
  private final InetSocketAddress address;
  private final Handshake handshake;
  private final Medium medium;
  private final Duration patience;
  private final Arrivals arrivals;
  private final Handshake.Session session = Handshake.Session.random();
  private final Map<Long, Question> open = new ConcurrentHashMap<>();
  private final BufferPool buffers = new BufferPool();
  private final ReentrantLock sending = new ReentrantLock();

  // Guarded by `sending`.
  private final @Nullable KeyCache keys;
  private final Deque<Sent> unreceived = new ArrayDeque<>();
  private long lastNumber;
  private @Nullable Wire wire;

  private volatile String description = "";

  /// The shard's pages; null until they could be mapped, if ever.
  private volatile @Nullable MappedPages pages;

  // Written by the thread that reads.
  private volatile @Nullable Wire newest;
  private volatile long repliesReceived;
  private volatile long commandsReceived;

  private volatile @Nullable PsException broken;
  private volatile boolean isClosed;

  private ShardLink(
      int shard,
      InetSocketAddress address,
      String token,
      Medium medium,
      boolean cachesKeys,
      Duration patience,
      Arrivals arrivals) {
    this.shard = shard;
    this.address = address;
    this.handshake = new Handshake(token);
    this.medium = medium;
    this.keys = cachesKeys ? new KeyCache() : null;
    this.patience = patience;
    this.arrivals = arrivals;
  }

  /// Connects.
  ///
  /// @param shard its index, for messages
  /// @param host where it is
  /// @param port of its [LinkServer]
  /// @param token of the job
  /// @param medium what bytes travel through
  /// @param cachesKeys whether row numbers sent before are named and not sent again
  /// @param arrivals of this process, to which replies are added
  /// @throws IOException when nothing listens there, or not the job's shard
  public static ShardLink open(
      int shard,
      String host,
      int port,
      String token,
      Medium medium,
      boolean cachesKeys,
      Arrivals arrivals)
      throws IOException {
    Duration patience = LinkServer.PATIENCE.dividedBy(2);
    return open(shard, host, port, token, medium, cachesKeys, patience, arrivals);
  }

  /// Connects.
  ///
  /// @param patience how long to try to come back after a cut
  static ShardLink open(
      int shard,
      String host,
      int port,
      String token,
      Medium medium,
      boolean cachesKeys,
      Duration patience,
      Arrivals arrivals)
      throws IOException {
    var address = new InetSocketAddress(host, port);
    var link = new ShardLink(shard, address, token, medium, cachesKeys, patience, arrivals);
    Wire first = link.connect(false).wire();
    link.newest = first;
    link.wire = first;
    Thread.ofPlatform().daemon().name("ps-link-" + shard).start(() -> link.readUntilClosed(first));
    return link;
  }

  @Override
  public CompletableFuture<ShardReply> send(ShardCommand command) {
    return ask(command, null);
  }

  @Override
  public CompletableFuture<ShardReply> read(ShardCommand.Read read, RowTarget target) {
    return ask(read, target);
  }

  private CompletableFuture<ShardReply> ask(ShardCommand command, @Nullable RowTarget target) {
    CompletableFuture<ShardReply> reply = new CompletableFuture<>();
    sending.lock();
    try {
      PsException failure = broken;
      if (failure != null) {
        return CompletableFuture.failedFuture(failure);
      }
      forgetReceived();
      long number = lastNumber + 1;
      LinkFrame frame = encode(number, command);
      lastNumber = number;
      open.put(number, new Question(reply, command, target));
      unreceived.add(new Sent(frame, command));
      if (wire != null) {
        write(wire, frame);
      }
    } finally {
      sending.unlock();
    }
    return reply;
  }

  private LinkFrame encode(long number, ShardCommand command) {
    LinkFrame frame = new LinkFrame(number, buffers, keys);
    try {
      FrameCodec.encode(command, frame);
    } catch (RuntimeException | Error e) {
      if (keys != null) {
        keys.undo();
      }
      frame.release();
      throw e;
    }
    if (keys != null) {
      keys.commit();
    }
    return frame.finish();
  }

  private void forgetReceived() {
    for (Sent first = unreceived.peek();
        first != null && first.frame().number() <= commandsReceived;
        first = unreceived.peek()) {
      unreceived.remove().release();
    }
  }

  /// Writes a frame; when that fails the wire is given up, and the thread that reads makes another.
  private void write(Wire target, LinkFrame frame) {
    try {
      frame.send(target, repliesReceived);
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      target.close();
      wire = null;
    }
  }

  // ---- the thread that reads

  private void readUntilClosed(Wire first) {
    try {
      var tries = new Tries();
      long known = progress();
      Wire current = first;
      while (!isClosed) {
        long start = System.nanoTime();
        String reason = readUntilCut(current);
        current.close();
        if (progress() != known || System.nanoTime() - start > LAST_PAUSE.toNanos()) {
          tries = new Tries();
        }
        known = progress();
        if (!isClosed) {
          current = reconnect(tries, reason);
        }
      }
      current.close();
    } catch (IOException | RuntimeException | Error e) {
      // Nobody reads any more, and whoever waits must hear of it.
      LOG.log(e instanceof IOException ? Level.DEBUG : Level.ERROR, "a link ended", e);
      closeNewest();
      fail(e.getMessage() == null ? e.toString() : e.getMessage());
    }
  }

  /// Frames that are known to have come through, either way.
  private long progress() {
    return repliesReceived + commandsReceived;
  }

  private String readUntilCut(Wire current) {
    try {
      current.readAll(
          new Replies(new WireReader(current, new KeyCache(), new ArrayPool())), arrivals);
      throw new IllegalStateException("a wire is read until it breaks");
    } catch (UncheckedIOException e) {
      return String.valueOf(e.getCause());
    } catch (IOException e) {
      return e.toString();
    }
  }

  /// The replies that come over one wire.
  private final class Replies implements Wire.Frames {
    private final WireReader in;

    Replies(WireReader in) {
      this.in = in;
    }

    @Override
    public boolean isThere() {
      return in.hasBytes();
    }

    @Override
    public void take() {
      LinkFrame.Head head = in.next();
      Question question = open.get(head.number());
      if (question == null) {
        in.skip();
        settle(head);
      } else {
        Runnable answer = answer(in, question);
        open.remove(head.number());
        settle(head);
        answer.run();
      }
    }
  }

  /// Takes a reply whole; what follows from it comes after it counts as received.
  private Runnable answer(WireReader in, Question question) {
    try {
      ShardReply reply = delivered(FrameCodec.decodeReply(in, question.target()), question);
      return () -> question.reply().complete(reply);
    } catch (UncheckedIOException cut) {
      throw cut;
    } catch (RuntimeException | OutOfMemoryError e) {
      in.skip();
      return () -> question.reply().completeExceptionally(PsException.of(e));
    }
  }

  /// Takes rows that lie in pages from there.
  private ShardReply delivered(ShardReply reply, Question question) {
    MappedPages mapped = pages;
    return reply instanceof ShardReply.Placed placed
            && mapped != null
            && question.command() instanceof ShardCommand.Read read
        ? mapped.deliver(placed, read.rows(), question.target())
        : reply;
  }

  private void settle(LinkFrame.Head head) {
    repliesReceived = repliesReceived + 1;
    commandsReceived = Math.max(commandsReceived, head.received());
  }

  // ---- connections

  /// Tries to go on, one after the other, since a connection that brought something or held for a
  /// while.
  private final class Tries {
    private final long start = System.nanoTime();
    private Duration pause = Duration.ZERO;

    /// Waits before the next one; not before the first.
    ///
    /// @throws IOException the last failure, when nothing came of any for too long
    void pauseAfter(IOException last) throws IOException {
      Duration limit =
          last instanceof ConnectException && REFUSED_PATIENCE.compareTo(patience) < 0
              ? REFUSED_PATIENCE
              : patience;
      if (isClosed || System.nanoTime() - start > limit.toNanos()) {
        throw last;
      }
      try {
        Thread.sleep(pause);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted between two tries", e);
      }
      Duration longer = pause.isZero() ? FIRST_PAUSE : pause.multipliedBy(2);
      pause = longer.compareTo(LAST_PAUSE) < 0 ? longer : LAST_PAUSE;
    }
  }

  private Wire reconnect(Tries tries, String reason) throws IOException {
    var last = new IOException(reason);
    while (true) {
      tries.pauseAfter(last);
      try {
        Connection next = connect(true);
        LOG.log(Level.WARNING, "shard {0}: connected again after a cut: {1}", shard, reason);
        newest = next.wire();
        commandsReceived = next.received();
        Thread.startVirtualThread(() -> sendAgain(next.wire()));
        return next.wire();
      } catch (Handshake.DeniedException e) {
        throw e;
      } catch (IOException e) {
        last = e;
      }
    }
  }

  private Connection connect(boolean resumes) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      LinkOptions.set(channel);
      channel.socket().connect(address, (int) CONNECT.toMillis());
      channel.socket().setSoTimeout((int) CONNECT.toMillis());
      return medium.offersMemory(channel)
          ? shakeHandsOverMemory(channel, resumes)
          : shakeHands(channel, resumes, "the medium is " + medium);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private Connection shakeHandsOverMemory(SocketChannel channel, boolean resumes)
      throws IOException {
    SharedMemory memory;
    try {
      memory = SharedMemory.create();
    } catch (IOException e) {
      return shakeHands(channel, resumes, "shared memory cannot be made: " + e);
    }
    try {
      Handshake.Answer answer = ask(channel, resumes, memory.name());
      if (!answer.usesMemory()) {
        description = "socket to %s, the shard cannot use shared memory".formatted(address);
        return new Connection(new SocketWire(channel), answer.received());
      }
      MemoryRing there = memory.there();
      description =
          "shared memory with %s, which is on this host%s"
              .formatted(address, mapPages(answer.pages(), there));
      return new Connection(new MemoryWire(channel, memory.back(), there), answer.received());
    } finally {
      memory.unlink();
    }
  }

  /// Maps the shard's pages, once, and says so to the shard.
  ///
  /// @return what came of it, for the description
  private String mapPages(Handshake.Pages named, MemoryRing there) {
    try {
      if (pages == null && !named.path().isEmpty()) {
        pages = MappedPages.open(named);
      }
    } catch (IOException e) {
      return ", whose pages cannot be mapped: " + e;
    }
    if (pages == null) {
      return "";
    }
    there.sayPagesAreRead();
    return ", whose pages are read where they lie";
  }

  private Connection shakeHands(SocketChannel channel, boolean resumes, String reason)
      throws IOException {
    Handshake.Answer answer = ask(channel, resumes, "");
    description = "socket to %s, %s".formatted(address, reason);
    return new Connection(new SocketWire(channel), answer.received());
  }

  private Handshake.Answer ask(SocketChannel channel, boolean resumes, String memory)
      throws IOException {
    Handshake.Answer answer =
        handshake.ask(
            new DataInputStream(channel.socket().getInputStream()),
            new DataOutputStream(channel.socket().getOutputStream()),
            new Handshake.Wish(session, resumes, repliesReceived, memory));
    if (!answer.isKnown()) {
      throw new Handshake.DeniedException("the shard does not know this session any more");
    }
    return answer;
  }

  /// Makes a wire the one that is written to, first with all that the shard does not have yet; does
  /// nothing when that wire was cut, too, before its turn came, and another one was made.
  void sendAgain(Wire next) {
    sending.lock();
    try {
      if (next != newest) {
        return;
      }
      forgetReceived();
      wire = next;
      for (Sent sent : unreceived) {
        if (wire == next) {
          write(next, sent.frame());
        }
      }
    } finally {
      sending.unlock();
    }
  }

  private void fail(String reason) {
    PsException failure =
        new PsException(
            PsFault.LINK_LOST, "the shard of worker " + shard + " cannot be reached: " + reason);
    sending.lock();
    try {
      broken = failure;
      wire = null;
      unreceived.clear();
    } finally {
      sending.unlock();
    }
    for (Long number : open.keySet()) {
      Question question = open.remove(number);
      if (question != null) {
        question.reply().completeExceptionally(failure);
      }
    }
  }

  /// Ends the connection; what is unanswered fails with `LINK_LOST`.
  @Override
  public void close() {
    isClosed = true;
    closeNewest();
    fail("closed by this side");
  }

  /// Without the lock: a sender holds it for as long as a machine that is gone takes no bytes.
  private void closeNewest() {
    Wire last = newest;
    if (last != null) {
      last.close();
    }
  }

  @Override
  public String toString() {
    return description;
  }
}
