package dev.espalier.ps.link;

import dev.espalier.ps.shard.Shard;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The port at which other processes reach this process's shard.
///
/// Who connects has five seconds to show that it knows the job's token; before, nothing but that is
/// read, and nothing is kept for it but its socket and a thread. Commands that come before there is
/// a shard wait for it. Thread-safe.
public final class LinkServer implements AutoCloseable {
  private static final Logger LOG = System.getLogger(LinkServer.class.getName());
  private static final Duration HANDSHAKE = Duration.ofSeconds(5);
  private static final int MAX_HANDSHAKES = 64;
  private static final int BACKLOG = 128;

  /// Until the next try where, for instance, the process has no file numbers or threads left.
  private static final Duration ACCEPT_PAUSE = Duration.ofMillis(100);

  /// How long a worker that lost its connection may take to come back.
  static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Who has shown that it knows the token.
  ///
  /// @param name of its session
  /// @param wire of this connection
  private record Guest(Handshake.Session name, ServedSession session, Wire wire) {}

  private final Handshake handshake;
  private final ServerSocketChannel listener;
  private final CompletableFuture<Shard> shard = new CompletableFuture<>();
  private final Map<Handshake.Session, ServedSession> sessions = new ConcurrentHashMap<>();
  private final Set<SocketChannel> strangers = ConcurrentHashMap.newKeySet();
  private final Semaphore handshakes = new Semaphore(MAX_HANDSHAKES);
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("ps-link-timer").factory());
  private volatile boolean isClosed;

  private LinkServer(ServerSocketChannel listener, String token) {
    this.listener = listener;
    handshake = new Handshake(token);
    Thread.ofPlatform().daemon().name("ps-link-accept").start(this::accept);
  }

  /// Opens a free port.
  ///
  /// @param address of the interface to listen on; the loopback one unless other machines take part
  /// @param token that callers must know, not empty
  public static LinkServer open(String address, String token) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open();
    try {
      listener.bind(new InetSocketAddress(address, 0), BACKLOG);
      return new LinkServer(listener, token);
    } catch (IOException | RuntimeException e) {
      listener.close();
      throw e;
    }
  }

  /// The port.
  public int port() {
    return listener.socket().getLocalPort();
  }

  /// Lets commands through to the shard.
  public void serve(Shard served) {
    shard.complete(served);
  }

  private void accept() {
    while (!isClosed) {
      try {
        SocketChannel channel = listener.accept();
        if (handshakes.tryAcquire()) {
          startWelcome(channel);
        } else {
          channel.close();
        }
      } catch (IOException | OutOfMemoryError e) {
        if (!isClosed) {
          LOG.log(Level.WARNING, "a connection could not be accepted: {0}", e.toString());
          LockSupport.parkNanos(ACCEPT_PAUSE.toNanos());
        }
      }
    }
  }

  private void startWelcome(SocketChannel channel) {
    try {
      Thread.ofPlatform().daemon().name("ps-link-serve").start(() -> welcome(channel));
    } catch (OutOfMemoryError noThread) {
      handshakes.release();
      close(channel);
      throw noThread;
    }
  }

  private void welcome(SocketChannel channel) {
    Optional<Guest> guest;
    try {
      guest = admit(channel);
    } finally {
      strangers.remove(channel);
      handshakes.release();
    }
    guest.ifPresentOrElse(this::serve, () -> close(channel));
  }

  /// {@return a caller that knows the token, and whose session is known}
  private Optional<Guest> admit(SocketChannel channel) {
    strangers.add(channel);
    ScheduledFuture<?> alarm;
    try {
      alarm = timer.schedule(() -> close(channel), HANDSHAKE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      // The server was closed after this one was accepted.
      return Optional.empty();
    }
    var guest = new AtomicReference<@Nullable Guest>();
    try {
      LinkOptions.set(channel);
      handshake.receive(
          new DataInputStream(channel.socket().getInputStream()),
          new DataOutputStream(channel.socket().getOutputStream()),
          wish -> decide(wish, channel, guest));
      return Optional.ofNullable(guest.get());
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      LOG.log(Level.WARNING, "turned away {0}: {1}", remote(channel), e.getMessage());
      Optional.ofNullable(guest.get()).ifPresent(this::expireLater);
      return Optional.empty();
    } finally {
      alarm.cancel(false);
    }
  }

  private static String remote(SocketChannel channel) {
    return String.valueOf(channel.socket().getRemoteSocketAddress());
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException _) {
      // It is of no use any more in any case.
    }
  }

  private Handshake.Answer decide(
      Handshake.Wish wish, SocketChannel channel, AtomicReference<@Nullable Guest> guest)
      throws IOException {
    if (!wish.resumes()) {
      sessions.putIfAbsent(wish.session(), new ServedSession());
    }
    ServedSession session = sessions.get(wish.session());
    if (session == null || session.isClosed()) {
      return new Handshake.Answer(false, 0, false, Handshake.Pages.NONE);
    }
    Optional<Wire> memory = memory(wish, channel);
    Wire wire = memory.orElseGet(() -> new SocketWire(channel));
    guest.set(new Guest(wish.session(), session, wire));
    return new Handshake.Answer(
        true,
        session.takeOver(wire, wish.received()),
        memory.isPresent(),
        memory.isPresent() ? pages() : Handshake.Pages.NONE);
  }

  /// The memory that a client offers, if it can be used.
  private static Optional<Wire> memory(Handshake.Wish wish, SocketChannel channel) {
    if (wish.memory().isEmpty()) {
      return Optional.empty();
    }
    try {
      SharedMemory memory = SharedMemory.open(wish.memory());
      return Optional.of(new MemoryWire(channel, memory.there(), memory.back()));
    } catch (IOException e) {
      LOG.log(Level.INFO, "shared memory of {0} cannot be used: {1}", remote(channel), e);
      return Optional.empty();
    }
  }

  /// The shard's pages; none while there is no shard yet.
  private Handshake.Pages pages() {
    return Optional.ofNullable(shard.getNow(null))
        .flatMap(Shard::sharedPages)
        .map(tier -> new Handshake.Pages(tier.path(), tier.mark()))
        .orElse(Handshake.Pages.NONE);
  }

  private void serve(Guest guest) {
    try {
      if (!isClosed) {
        guest.session().serve(guest.wire(), shard.join());
      }
    } catch (IOException | UncheckedIOException | CancellationException e) {
      if (!isClosed) {
        LOG.log(Level.DEBUG, "a connection ended: {0}", e.toString());
      }
    } finally {
      guest.wire().close();
      expireLater(guest);
    }
  }

  /// Remembers nothing of the connection that ended, whose buffers are large.
  private void expireLater(Guest guest) {
    Handshake.Session name = guest.name();
    ServedSession session = guest.session();
    long served = session.served();
    try {
      var _ =
          timer.schedule(
              () -> expire(name, session, served), PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      // A closed server has forgotten the session already.
    }
  }

  /// Forgets a session unless it has had a connection since, whose own end then counts.
  private void expire(Handshake.Session name, ServedSession session, long served) {
    if (session.isUnservedSince(served) && sessions.remove(name, session)) {
      session.close();
    }
  }

  /// Ends all connections and forgets all sessions; to be done before the shard is closed.
  @Override
  public void close() {
    isClosed = true;
    timer.shutdownNow();
    shard.cancel(false);
    try {
      listener.close();
    } catch (IOException _) {
      // Nobody can come any more in any case.
    }
    strangers.forEach(LinkServer::close);
    sessions.values().forEach(ServedSession::close);
    sessions.clear();
  }
}
