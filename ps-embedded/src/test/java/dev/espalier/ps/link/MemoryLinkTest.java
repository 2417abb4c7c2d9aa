package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.Cluster;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.ParameterServerContract;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.FrameCodec;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// All that the parameter server promises, through shared memory.
class MemoryLinkTest extends ParameterServerContract {
  @Override
  protected Cluster.Network join(List<ParameterServer> servers) {
    return new Links(servers, Medium.ANY, port -> port);
  }

  @Test
  void theFileIsGoneOnceBothHaveIt() throws Exception {
    try (LinkServer port = LinkServer.open("127.0.0.1", Links.TOKEN);
        ShardLink link =
            ShardLink.open(
                0, "127.0.0.1", port.port(), Links.TOKEN, Medium.ANY, false, new Arrivals())) {
      assertThat(link.toString()).startsWith("shared memory");
      assertThat(leftBy(ProcessHandle.current().pid())).isEmpty();
    }
  }

  @Test
  void whatAKilledProcessLeftIsDeleted() throws Exception {
    Process gone = new ProcessBuilder("true").start();
    gone.waitFor();
    SharedMemory made = SharedMemory.create();
    Path file = pathOf(made.name());
    Path left =
        file.resolveSibling(
            made.name().replace("-" + ProcessHandle.current().pid() + "-", "-" + gone.pid() + "-"));
    Files.move(file, left);
    SharedMemory.create().unlink();
    assertThat(left).doesNotExist();
  }

  /// There, digits are others.
  @Test
  void namesAreTheSameInEgypt() throws Exception {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.of("ar", "EG"));
    try {
      SharedMemory made = SharedMemory.create();
      SharedMemory.open(made.name());
      made.unlink();
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void otherNamesAreNotOpened() {
    for (String name : List.of("../etc/passwd", "/etc/passwd", "espalier-1-x.ring", "")) {
      assertThatThrownBy(() -> SharedMemory.open(name))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("no shared memory");
    }
  }

  /// A reply that its ring has no room for, and a client that dies before it has read any of it.
  @Test
  void aClientThatDiesBeforeAReplyIsReadHoldsNoThread() throws Exception {
    int rows = 3 << 19;
    List<Thread> others = serving();
    try (ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 32 << 20),
                List.of(TableSpec.dense("w", rows, 4, "sgd")));
        LinkServer port = LinkServer.open("127.0.0.1", "token")) {
      var branch = new BranchRef(1);
      server.shard().submit(new ShardCommand.Create(branch, 0)).join();
      port.serve(server.shard());
      SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port.port()));
      SharedMemory memory = SharedMemory.create();
      new Handshake("token")
          .ask(
              new DataInputStream(channel.socket().getInputStream()),
              new DataOutputStream(channel.socket().getOutputStream()),
              new Handshake.Wish(Handshake.Session.random(), false, 0, memory.name()));
      memory.unlink();
      var wire = new MemoryWire(channel, memory.back(), memory.there());
      var frame = new LinkFrame(1, new BufferPool());
      FrameCodec.encode(
          new ShardCommand.Read(
              branch, 0, 0, Staleness.bulkSynchronous(), 0, new RowSelection.Range(0, rows)),
          frame);
      frame.finish().send(wire, 0);
      wire.receive();
      List<Thread> ours = serving().stream().filter(one -> !others.contains(one)).toList();
      assertThat(ours).isNotEmpty();

      channel.close();

      for (Thread thread : ours) {
        assertThat(thread.join(Duration.ofSeconds(20))).isTrue();
      }
    }
  }

  private static List<Thread> serving() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("ps-link-serve"))
        .toList();
  }

  @Test
  void aRingHandsOnEveryByteInOrder() throws Exception {
    SharedMemory made = SharedMemory.create();
    SharedMemory opened = SharedMemory.open(made.name());
    made.unlink();
    byte[] bytes = new byte[3 * MemoryRing.CAPACITY + 17];
    new Random(7).nextBytes(bytes);
    Thread writer =
        Thread.ofPlatform()
            .start(() -> {
              MemoryRing ring = made.there();
              for (long done = 0; done < bytes.length; ) {
                done += ring.write(new Piece.Together(MemorySegment.ofArray(bytes)), done);
              }
            });
    MemoryRing ring = opened.there();
    ByteBuffer read = ByteBuffer.allocate(bytes.length);
    while (read.hasRemaining()) {
      read.put(ring.read());
    }
    writer.join();
    assertThat(read.array()).isEqualTo(bytes);
    ring.read();
    assertThat(ring.isEmpty()).isTrue();
  }

  private static Path pathOf(String name) {
    Path memory = Path.of("/dev/shm", name);
    return Files.exists(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir"), name);
  }

  private static List<Path> leftBy(long pid) throws IOException {
    for (String folder : List.of("/dev/shm", System.getProperty("java.io.tmpdir"))) {
      if (Files.isDirectory(Path.of(folder))) {
        try (var files = Files.newDirectoryStream(Path.of(folder), "espalier-" + pid + "-*.ring")) {
          for (Path file : files) {
            return List.of(file);
          }
        }
      }
    }
    return List.of();
  }
}
