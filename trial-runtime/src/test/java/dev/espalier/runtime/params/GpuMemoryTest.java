package dev.espalier.runtime.params;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.gpu.GpuProvider;
import dev.espalier.ps.transport.Transport;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TableView;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Tables that ask for a GPU are on it where there is one, and on the host where there is none.
final class GpuMemoryTest {
  private static final BranchId BRANCH = new BranchId(1);

  @Test
  void tablesLieOnTheGpuIfThereIsOne() {
    List<TableDeclaration> tables = List.of(TableDeclaration.matrix("matrix", 40, 30, "momentum"));
    try (ParameterServer server =
            PsBackend.openServer(1, 0, 64 << 20, tables, 16 << 20, FilterOptions.NONE);
        var backend = new PsBackend(server, Transport.inProcess(List.of(server.shard())))) {
      float[] values = new float[40 * 30];
      values[7] = 3;
      backend.create(BRANCH);
      backend.initialise(BRANCH, () -> backend.table("matrix").assign(0, 40, values, 0));
      backend.select(BRANCH, Setting.of(Map.of("learningRate", 0.5)), 1);
      try (TableView view = backend.table("matrix").view().orElseThrow()) {
        assertThat(view.isOnDevice()).isEqualTo(GpuProvider.chosen().isPresent());
      }
      backend.table("matrix").add(0, 40, values, 0);
      backend.tick(1);
      backend.select(BRANCH, Setting.of(Map.of("learningRate", 0.5)), 1);
      float[] read = new float[values.length];
      backend.table("matrix").read(0, 40, read, 0);
      assertThat(read[7]).isEqualTo(1.5f);
      assertThat(GpuProvider.chosen().reason()).isNotBlank();
    }
  }
}
