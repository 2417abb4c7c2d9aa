package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.Cluster;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerContract;
import dev.espalier.ps.shard.Arrivals;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
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
