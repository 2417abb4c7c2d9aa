package dev.espalier.ps.shard;

import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.table.TableSpec;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/// Votes and withdrawals of two workers happen in some order that explains every answer.
@Param(name = "worker", gen = IntGen.class, conf = "0:1")
public class BarrierLincheckTest {
  private final Shard shard =
      new Shard(
          new ShardConfig(0, 2, 4096, 4096, 1 << 20),
          List.of(TableSpec.dense("w", 1, 1, "sgd")),
          new ScalarRowKernels());

  @Operation
  public void vote(@Param(name = "worker") int worker) {
    shard.submit(new ShardCommand.Barrier("b", worker));
  }

  @Operation
  public boolean withdraw(@Param(name = "worker") int worker) {
    ShardReply reply = shard.submit(new ShardCommand.Withdraw("b", worker)).join();
    return ((ShardReply.BarrierState) reply).completed();
  }

  @Test
  void isLinearizable() {
    new StressOptions()
        .iterations(4)
        .invocationsPerIteration(200)
        .threads(2)
        .actorsPerThread(4)
        .check(getClass());
  }
}
