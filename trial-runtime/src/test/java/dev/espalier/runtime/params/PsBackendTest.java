package dev.espalier.runtime.params;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.TableDeclaration;
import java.util.List;
import java.util.Map;
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
}
