package dev.espalier.runtime.params;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.TableDeclaration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PsBackendTest {
  private static final Setting WHOLE_STEPS = Setting.of(Map.of(Tunable.LEARNING_RATE, 1.0));

  private static PsBackend open() {
    ParameterServer server =
        PsBackend.openServer(
            1, 0, 1 << 20, List.of(TableDeclaration.dense("weights", 2, 2, "sgd")));
    return new PsBackend(server, Transport.inProcess(List.of(server.shard())));
  }

  private static float[] afterAClock(PsBackend backend) {
    backend.select(BranchId.ROOT, WHOLE_STEPS, 1);
    backend.table("weights").addAll(new float[] {1, 1, 1, 1});
    backend.tick(1);
    backend.select(BranchId.ROOT, WHOLE_STEPS, 1);
    return backend.table("weights").readAll();
  }

  @Test
  void ruleThatThereIsNotIsToldWithItsTable() {
    PsBackend.requireKnown(List.of(TableDeclaration.dense("weights", 2, 2, "adam")));

    assertThatThrownBy(
            () -> PsBackend.requireKnown(List.of(TableDeclaration.dense("weights", 2, 2, "adamm"))))
        .isInstanceOf(EspalierException.class)
        .hasMessageStartingWith("table weights: rule must be one of ")
        .hasMessageEndingWith("but is adamm");
  }

  @Test
  void constantThatNoRuleHasIsToldWithItsTable() {
    TableDeclaration weights = TableDeclaration.dense("weights", 2, 2, "adam").with("beta3", 0.9);

    assertThatThrownBy(() -> PsBackend.openServer(1, 0, 1 << 20, List.of(weights)))
        .isInstanceOf(EspalierException.class)
        .hasMessageStartingWith(
            "table weights: there is no rule constant beta3; there are beta2, decay");
  }

  @Test
  void gradientsOfAMeasurementDoNotReachTheNextClock() {
    try (PsBackend backend = open()) {
      backend.create(BranchId.ROOT);
      float[] measured =
          backend.measure(
              BranchId.ROOT,
              () -> {
                backend.table("weights").addAll(new float[] {5, 5, 5, 5});
                return backend.table("weights").readAll();
              });
      assertThat(measured).containsOnly(0);
      assertThat(afterAClock(backend)).containsOnly(-1);
    }
  }

  @Test
  void gradientsInsideInitialiseAreAnErrorAndAreNotKept() {
    try (PsBackend backend = open()) {
      backend.create(BranchId.ROOT);
      assertThatThrownBy(() ->
              backend.initialise(
                  BranchId.ROOT,
                  () -> {
                    ParameterTable weights = backend.table("weights");
                    weights.assign(0, 2, new float[] {3, 3, 3, 3}, 0);
                    weights.addAll(new float[] {5, 5, 5, 5});
                  }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("weights inside initialise");
      assertThat(afterAClock(backend)).containsOnly(2);
      assertThatThrownBy(() -> backend.table("weights").assign(0, 1, new float[] {1, 1}, 0))
          .hasMessageContaining("only inside initialise");
    }
  }

  /// They would pile up, and all be read at the end of the next clock.
  @Test
  void announcementsOfAMeasurementAreNotReadByTheNextClock() throws Exception {
    List<ParameterServer> servers =
        IntStream.range(0, 2)
            .mapToObj(worker ->
                PsBackend.openServer(
                    2, worker, 1 << 20, List.of(TableDeclaration.sparse("rows", 10, 1, "sgd"))))
            .toList();
    var reads = new AtomicInteger();
    ShardRoute counted =
        command -> {
          reads.addAndGet(command instanceof ShardCommand.Read ? 1 : 0);
          return servers.get(1).shard().submit(command);
        };
    var own = new OwnShard(servers.getFirst().shard());
    try (var backend = new PsBackend(servers.getFirst(), new Transport(List.of(own, counted)));
        var other =
            new PsBackend(
                servers.get(1),
                Transport.inProcess(servers.stream().map(ParameterServer::shard).toList()));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> created = threads.submit(() -> other.create(BranchId.ROOT));
      backend.create(BranchId.ROOT);
      created.get(10, TimeUnit.SECONDS);
      long[] rows = {7, 8};

      backend.measure(
          BranchId.ROOT,
          () -> {
            backend.table("rows").announce(rows, 2);
            return true;
          });
      backend.select(BranchId.ROOT, WHOLE_STEPS, 1);
      backend.tick(1);
      assertThat(reads).hasValue(0);

      backend.select(BranchId.ROOT, WHOLE_STEPS, 1);
      backend.table("rows").announce(rows, 2);
      backend.tick(1);
      assertThat(reads).hasValue(1);
    }
  }
}
