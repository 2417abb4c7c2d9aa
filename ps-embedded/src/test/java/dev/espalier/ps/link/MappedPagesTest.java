package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.SharedTier;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Rows that a worker copies from the pages of another one's shard.
@Timeout(60)
class MappedPagesTest {
  private static final BranchRef ROOT = new BranchRef(0);
  private static final Staleness BULK = Staleness.bulkSynchronous();
  private static final int ROWS = 3000;
  private static final int COLUMNS = 20;

  private final ParameterServer server =
      ParameterServer.open(
          ParameterServerConfig.of(1, 0, 64 << 20).withPageBytes(16384, 4096).withSharedPages(true),
          List.of(
              TableSpec.dense("dense", ROWS, COLUMNS, "momentum"),
              TableSpec.sparse("sparse", ROWS, COLUMNS, "sgd")));
  private final float[] values = new float[ROWS * COLUMNS];
  private LinkServer port;
  private ShardLink link;

  @BeforeEach
  void open() throws IOException {
    port = LinkServer.open("127.0.0.1", Links.TOKEN);
    port.serve(server.shard());
    link =
        ShardLink.open(0, "127.0.0.1", port.port(), Links.TOKEN, Medium.ANY, true, new Arrivals());
    Random random = new Random(1);
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    ok(new ShardCommand.Create(ROOT, 0));
    for (int table = 0; table < 2; table++) {
      ok(new ShardCommand.Assign(ROOT, 0, List.of(new RowBatch(table, all(), values.clone()))));
    }
  }

  @AfterEach
  void close() {
    link.close();
    port.close();
    server.close();
  }

  private static RowSelection all() {
    return new RowSelection.Range(0, ROWS);
  }

  private void ok(ShardCommand command) {
    assertThat(link.send(command).join()).isEqualTo(new ShardReply.Acknowledged());
  }

  private static ShardCommand.Read read(int table, long clock, int bound, RowSelection rows) {
    return new ShardCommand.Read(ROOT, 0, clock, new Staleness(bound), table, rows);
  }

  @Test
  void theLinkSaysSo() {
    assertThat(link.toString()).endsWith("whose pages are read where they lie");
  }

  @Test
  void rangesComeWholeAndInPart() {
    for (int table = 0; table < 2; table++) {
      float[] read = new float[ROWS * COLUMNS + 3];
      assertThat(link.read(read(table, 0, 0, all()), new RowTarget(read, 3, COLUMNS, null)).join())
          .isEqualTo(new ShardReply.Delivered(ROWS));
      assertThat(Arrays.copyOfRange(read, 3, read.length)).isEqualTo(values);
      var part = new RowSelection.Range(711, 1400);
      assertThat(link.send(read(table, 0, 0, part)).join())
          .isInstanceOfSatisfying(
              ShardReply.Rows.class,
              rows ->
                  assertThat(rows.values())
                      .isEqualTo(
                          Arrays.copyOfRange(values, 711 * COLUMNS, (711 + 1400) * COLUMNS)));
    }
  }

  @Test
  void rowsThatLieApartGoWhereTheyAreWanted() {
    Random random = new Random(2);
    for (boolean isSorted : new boolean[] {true, false}) {
      long[] keys = random.longs(900, 0, ROWS).toArray();
      if (isSorted) {
        Arrays.sort(keys);
      }
      int[] places = IntStream.range(0, 900).map(i -> 899 - i).toArray();
      for (int[] target : new int[][] {null, places}) {
        float[] read = new float[900 * COLUMNS];
        link.read(
                read(1, 0, 0, new RowSelection.Keys(keys)), new RowTarget(read, 0, COLUMNS, target))
            .join();
        for (int i = 0; i < 900; i++) {
          int at = target == null ? i : target[i];
          int row = (int) keys[i];
          assertThat(Arrays.copyOfRange(read, at * COLUMNS, (at + 1) * COLUMNS))
              .isEqualTo(Arrays.copyOfRange(values, row * COLUMNS, (row + 1) * COLUMNS));
        }
      }
    }
  }

  @Test
  void rowsThatAreNotWhereTheShardSaysAreRefused() throws Exception {
    SharedTier tier = server.shard().sharedPages().orElseThrow();
    MappedPages pages = MappedPages.open(new Handshake.Pages(tier.path(), tier.mark()));
    RowSelection[] selections = {
      new RowSelection.Keys(new long[] {0, 9, 15}), new RowSelection.Range(0, 16)
    };
    long lastRow = tier.bytes() - COLUMNS * 4L;
    for (RowSelection rows : selections) {
      for (long offset :
          new long[] {lastRow - 4 * COLUMNS, lastRow + 4, -1000, Long.MIN_VALUE / 4}) {
        var placed =
            new ShardReply.Placed(0, 10, COLUMNS, new int[] {0, 1}, new long[] {4096, offset});
        assertThatThrownBy(() -> pages.deliver(placed, rows, null))
            .isInstanceOfSatisfying(
                PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.BAD_FRAME));
      }
      var unnamed = new ShardReply.Placed(0, 5, COLUMNS, new int[] {0, 3}, new long[] {4096, 8192});
      assertThatThrownBy(() -> pages.deliver(unnamed, rows, null)).isInstanceOf(PsException.class);
    }
  }

  @Test
  void nextClocksAreReadAndNoPageStaysHeld() {
    float[] read = new float[ROWS * COLUMNS];
    float[] ones = new float[ROWS * COLUMNS];
    Arrays.fill(ones, 1);
    long pages = 0;
    for (int clock = 0; clock < 6; clock++) {
      int bound = clock % 3 == 2 ? 1 : 0;
      link.read(read(1, clock, bound, all()), new RowTarget(read, 0, COLUMNS, null)).join();
      for (int i = 0; i < read.length; i++) {
        assertThat(read[i]).isEqualTo(values[i]);
        values[i] -= 0.5f;
      }
      ok(
          new ShardCommand.Push(
              ROOT, 0, clock, BULK, StepSize.of(0.5), 1, List.of(new RowBatch(1, all(), ones))));
      assertThat(clock == 0 ? pages : server.stats().pagesInUse()).isEqualTo(pages);
      pages = server.stats().pagesInUse();
    }
  }

  @Test
  void onlyPagesOfProcessesAreMapped() {
    for (String path : List.of("", "/etc/passwd", "/proc/1/fd/../../etc", "/proc/self/fd/1")) {
      assertThatThrownBy(() -> MappedPages.open(new Handshake.Pages(path, new UUID(1, 2))))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("no pages");
    }
    assertThatThrownBy(
            () -> MappedPages.open(new Handshake.Pages("/proc/999999999/fd/3", new UUID(1, 2))))
        .isInstanceOf(IOException.class);
  }

  @Test
  void aPathThatMeansAnotherFileIsRefused() throws Exception {
    SharedTier meant = server.shard().sharedPages().orElseThrow();
    // As in another container, where the same numbers of process and file are those of a stranger.
    try (SharedTier stranger = SharedTier.ofSize(1 << 20).orElseThrow()) {
      assertThatThrownBy(() -> MappedPages.open(new Handshake.Pages(stranger.path(), meant.mark())))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another file");
      assertThat(MappedPages.open(new Handshake.Pages(stranger.path(), stranger.mark())))
          .isNotNull();
    }
  }

  @Test
  void aPipeIsNotWaitedFor() throws Exception {
    Process sleeper = new ProcessBuilder("sleep", "60").start();
    try {
      String pipe = "/proc/%d/fd/0".formatted(sleeper.pid());
      assertThatThrownBy(() -> MappedPages.open(new Handshake.Pages(pipe, new UUID(1, 2))))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("no pages");
    } finally {
      sleeper.destroy();
    }
  }
}
