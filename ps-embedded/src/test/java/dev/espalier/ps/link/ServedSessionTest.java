package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.FrameCodec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ServedSessionTest {
  private static final int COMMANDS = 8;

  private static ParameterServer server() {
    return ParameterServer.open(
        ParameterServerConfig.of(1, 0, 1 << 20), List.of(TableSpec.dense("w", 4, 4, "sgd")));
  }

  /// The time that a worker has to come back begins anew with each connection that it loses.
  @Test
  void aConnectionThatCameAndWentCountsAgainstForgetting() throws Exception {
    try (ParameterServer server = server()) {
      var session = new ServedSession();
      connectAndLose(session, server);
      long first = session.served();
      assertThat(session.isUnservedSince(first)).isTrue();
      Wire overtaken = new DeadWire();
      session.takeOver(overtaken, 0);
      connectAndLose(session, server);
      assertThatThrownBy(() -> session.serve(overtaken, server.shard()))
          .hasMessageContaining("another connection took over");
      assertThat(session.isUnservedSince(first)).isFalse();
      assertThat(session.isUnservedSince(session.served())).isTrue();
      session.close();
    }
  }

  /// Brings frames in given pieces, where null is memory that ran out, and keeps what is sent.
  private static class ScriptedWire implements Wire {
    private final Deque<Optional<byte[]>> script = new ArrayDeque<>();
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    final Set<Thread> senders = ConcurrentHashMap.newKeySet();

    void brings(long number, ShardCommand command, boolean runsOut) {
      brings(number, 0, command, runsOut);
    }

    void brings(long number, long received, ShardCommand command, boolean runsOut) {
      ByteBuffer frame = FrameCodec.encode(command);
      ByteBuffer head = ByteBuffer.allocate(LinkFrame.HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      head.putInt(frame.remaining()).putLong(number).putLong(received);
      script.add(Optional.of(head.array()));
      if (runsOut) {
        script.add(Optional.empty());
      }
      byte[] body = new byte[frame.remaining()];
      frame.get(body);
      script.add(Optional.of(body));
    }

    @Override
    public ByteBuffer receive() throws IOException {
      Optional<byte[]> next = script.poll();
      if (next == null) {
        throw new IOException("the end");
      }
      return ByteBuffer.wrap(next.orElseThrow(() -> new OutOfMemoryError("no room")))
          .order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public synchronized void send(List<Piece> pieces) {
      senders.add(Thread.currentThread());
      for (Piece piece : pieces) {
        MemorySegment copy = MemorySegment.ofArray(new byte[(int) piece.bytes()]);
        piece.copy(0, copy, 0, piece.bytes());
        sent.writeBytes(copy.toArray(ValueLayout.JAVA_BYTE));
      }
    }

    synchronized List<ShardReply> replies() {
      ByteBuffer all = ByteBuffer.wrap(sent.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
      List<ShardReply> replies = new ArrayList<>();
      while (all.hasRemaining()) {
        int bytes = all.getInt();
        all.position(all.position() + LinkFrame.HEAD_BYTES - Integer.BYTES);
        replies.add(FrameCodec.decodeReply(all.slice(all.position(), bytes)));
        all.position(all.position() + bytes);
      }
      return replies;
    }

    @Override
    public void close() {}
  }

  @Test
  void aCommandThatThereIsNoMemoryForIsAnsweredAndTheNextOneIsTaken() throws Exception {
    try (ParameterServer server = server()) {
      var session = new ServedSession();
      var wire = new ScriptedWire();
      wire.brings(1, new ShardCommand.Explain(0), true);
      wire.brings(2, new ShardCommand.Explain(0), false);
      session.takeOver(wire, 0);
      assertThatThrownBy(() -> session.serve(wire, server.shard())).hasRootCauseMessage("the end");
      assertThat(wire.replies())
          .containsExactly(
              new ShardReply.Failed(
                  PsFault.INTERNAL,
                  "the parameter server failed: java.lang.OutOfMemoryError: no room"),
              new ShardReply.Explanation(""));
      assertThat(session.takeOver(new DeadWire(), 2)).isEqualTo(2);
      session.close();
    }
  }

  /// Is read by visitors alone; two replies at most may be sent at once.
  private static final class VisitedWire extends ScriptedWire {
    private final CountDownLatch isRead = new CountDownLatch(1);
    private final AtomicInteger sendable = new AtomicInteger(2);

    @Override
    public void readAll(Frames frames, Arrivals arrivals) throws IOException {
      arrivals.add(
          new Arrivals.Source() {
            @Override
            public boolean take() {
              return true;
            }

            @Override
            public boolean readNext() {
              try {
                frames.take();
                return true;
              } catch (IOException | UncheckedIOException e) {
                isRead.countDown();
                return false;
              }
            }

            @Override
            public boolean isWanted() {
              return false;
            }

            @Override
            public void giveBack() {}
          });
      try {
        isRead.await();
        while (replies().size() < COMMANDS) {
          Thread.sleep(1);
        }
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      throw new IOException("the end");
    }

    @Override
    public boolean takesAtOnce(long bytes) {
      return sendable.getAndDecrement() > 0;
    }

    /// Who may wait does, until all commands have been taken.
    @Override
    public void send(List<Piece> pieces) {
      if (!Arrivals.isTakingIn()) {
        try {
          isRead.await();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
      super.send(pieces);
    }
  }

  /// The worker that the reply is for may be waiting for what only this thread reads.
  @Test
  void whoTakesInWritesNoReplyThatItWouldWaitFor() throws Exception {
    try (ParameterServer server = server()) {
      var session = new ServedSession();
      var wire = new VisitedWire();
      for (int number = 1; number <= COMMANDS; number++) {
        wire.brings(number, Math.min(2, number - 1), new ShardCommand.Explain(0), false);
      }
      session.takeOver(wire, 0);
      Executor thread = task -> Thread.ofPlatform().daemon().start(task);
      var serving =
          CompletableFuture.runAsync(
              () -> assertThatThrownBy(() -> session.serve(wire, server.shard())), thread);
      var visits =
          CompletableFuture.supplyAsync(
              () -> {
                while (wire.isRead.getCount() > 0) {
                  server
                      .shard()
                      .arrivals()
                      .takeInUntil(() -> wire.isRead.getCount() == 0, Duration.ofSeconds(1));
                }
                return Thread.currentThread();
              },
              thread);
      Thread visitor = visits.get(20, TimeUnit.SECONDS);
      serving.get(20, TimeUnit.SECONDS);

      assertThat(wire.replies()).hasSize(COMMANDS);
      assertThat(wire.senders).hasSize(2).contains(visitor);
      session.close();
    }
  }

  @Test
  void aSessionThatIsGivenUpServesNobody() throws Exception {
    try (ParameterServer server = server()) {
      var session = new ServedSession();
      var wire = new ScriptedWire();
      wire.brings(1, new ShardCommand.Explain(0), false);
      session.takeOver(wire, 0);
      session.close();
      assertThat(session.isClosed()).isTrue();
      assertThatThrownBy(() -> session.serve(wire, server.shard()))
          .hasMessage("the session is given up");
      assertThat(wire.replies()).isEmpty();
    }
  }

  @Test
  void rowsThatNoFrameHoldsAreRefused() {
    var rows = new ServedRows(new BufferPool(), Optional.empty());
    assertThatThrownBy(() -> rows.begin(1 << 29, 1, 1))
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.BAD_REQUEST))
        .hasMessageContaining("take 2147483648");
  }

  private static void connectAndLose(ServedSession session, ParameterServer server)
      throws IOException {
    Wire wire = new DeadWire();
    session.takeOver(wire, 0);
    assertThatThrownBy(() -> session.serve(wire, server.shard()))
        .isInstanceOfAny(IOException.class, UncheckedIOException.class);
  }
}
