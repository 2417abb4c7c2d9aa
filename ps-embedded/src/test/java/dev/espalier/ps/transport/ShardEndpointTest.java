package dev.espalier.ps.transport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ShardEndpointTest {
  private static final BranchRef ROOT = new BranchRef(0);

  @Test
  void aReplyThatTheCarrierCannotTakeIsAFailure() {
    try (ParameterServer server =
        ParameterServer.open(
            ParameterServerConfig.of(1, 0, 1 << 20), List.of(TableSpec.dense("w", 8, 4, "sgd")))) {
      var endpoint = new ShardEndpoint(server.shard(), 100);
      assertThat(ask(endpoint, new ShardCommand.Create(ROOT, 0)))
          .isEqualTo(new ShardReply.Acknowledged());
      assertThat(ask(endpoint, read(4))).isInstanceOf(ShardReply.Rows.class);
      assertThat(ask(endpoint, read(8)))
          .isEqualTo(
              new ShardReply.Failed(
                  PsFault.BAD_REQUEST, "frame must have at most 100 bytes but would have 140"));
    }
  }

  private static ShardReply ask(ShardEndpoint endpoint, ShardCommand command) {
    ByteBuffer answer = endpoint.handle(FrameCodec.encode(command)).join();
    return FrameCodec.decodeReply(answer);
  }

  private static ShardCommand read(int rows) {
    return new ShardCommand.Read(
        ROOT, 0, 0, Staleness.bulkSynchronous(), 0, new RowSelection.Range(0, rows));
  }
}
