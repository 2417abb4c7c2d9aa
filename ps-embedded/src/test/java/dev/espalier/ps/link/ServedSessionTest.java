package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.table.TableSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ServedSessionTest {
  /// The time that a worker has to come back begins anew with each connection that it loses.
  @Test
  void aConnectionThatCameAndWentCountsAgainstForgetting() throws Exception {
    try (ParameterServer server =
        ParameterServer.open(
            ParameterServerConfig.of(1, 0, 1 << 20), List.of(TableSpec.dense("w", 4, 4, "sgd")))) {
      var session = new ServedSession();
      Wire first = connectAndLose(session, server);
      assertThat(session.isUnservedSince(first)).isTrue();
      Wire overtaken = new DeadWire();
      session.takeOver(overtaken, 0);
      Wire second = connectAndLose(session, server);
      assertThatThrownBy(() -> session.serve(overtaken, server.shard()))
          .hasMessageContaining("another connection took over");
      assertThat(session.isUnservedSince(first)).isFalse();
      assertThat(session.isUnservedSince(overtaken)).isFalse();
      assertThat(session.isUnservedSince(second)).isTrue();
      session.close();
    }
  }

  private static Wire connectAndLose(ServedSession session, ParameterServer server)
      throws IOException {
    Wire wire = new DeadWire();
    session.takeOver(wire, 0);
    assertThatThrownBy(() -> session.serve(wire, server.shard()))
        .isInstanceOfAny(IOException.class, UncheckedIOException.class);
    return wire;
  }
}
