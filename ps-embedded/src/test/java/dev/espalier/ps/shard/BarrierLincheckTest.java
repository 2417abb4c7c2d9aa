package dev.espalier.ps.shard;

import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/// Votes and withdrawals of two workers happen in some order that explains every answer.
public class BarrierLincheckTest {
  private static final CompletableFuture<ShardReply> NONE =
      CompletableFuture.completedFuture(new ShardReply.BarrierState(false));

  private final Shard shard =
      new Shard(
          new ShardConfig(0, 2, 4096, 4096, 1 << 20),
          List.of(TableSpec.dense("w", 1, 1, "sgd")),
          new ScalarRowKernels());

  private final List<CompletableFuture<ShardReply>> votes =
      new ArrayList<>(Collections.nCopies(2, NONE));

  @Operation(nonParallelGroup = "first")
  public void voteOfTheFirst() {
    vote(0);
  }

  @Operation(nonParallelGroup = "second")
  public void voteOfTheSecond() {
    vote(1);
  }

  private void vote(int worker) {
    votes.set(worker, shard.submit(new ShardCommand.Barrier("b", worker)));
  }

  @Operation(nonParallelGroup = "first")
  public boolean withdrawalOfTheFirst() {
    return withdraw(0);
  }

  @Operation(nonParallelGroup = "second")
  public boolean withdrawalOfTheSecond() {
    return withdraw(1);
  }

  /// A withdrawal says the same as the vote that it is about, which comes with it or before it.
  private boolean withdraw(int worker) {
    boolean completed = isCompleted(shard.submit(new ShardCommand.Withdraw("b", worker)));
    if (isCompleted(votes.get(worker)) != completed) {
      throw new IllegalStateException("vote and withdrawal say different things");
    }
    return completed;
  }

  private static boolean isCompleted(CompletableFuture<ShardReply> reply) {
    return ((ShardReply.BarrierState) reply.orTimeout(10, TimeUnit.SECONDS).join()).completed();
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
