package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import java.util.List;

/// What a worker may ask of a shard.
///
/// Commands of one worker to one shard arrive in the order in which they were sent. `Create`,
/// `Fork`, `Free` and `Save` are collective: they happen when every worker has sent them, so they
/// see exactly the updates that all workers had sent before.
public sealed interface ShardCommand {

  /// Rank of the worker that asks.
  int worker();

  /// Asks for the parameters of some rows of this shard; answered by [ShardReply.Rows] when the
  /// clocks of the other workers allow it.
  ///
  /// @param branch the branch
  /// @param worker who reads
  /// @param clock the clock of the branch the worker is in, from 0
  /// @param staleness how many clocks of others the read may miss
  /// @param table index of the table
  /// @param rows which rows
  record Read(
      BranchRef branch, int worker, long clock, Staleness staleness, int table, RowSelection rows)
      implements ShardCommand {}

  /// Ends a worker's clock and delivers its updates; a repeat is acknowledged and ignored.
  ///
  /// Updates are sums of per-sample gradients. At staleness 0 those of one clock are kept until all
  /// workers have sent theirs, added in the order of ranks, divided by the samples of all workers
  /// and applied as one optimizer step. At a larger staleness each push is its own step at once,
  /// divided by its samples times the number of workers. A clock without samples, or with a
  /// learning rate of 0, changes nothing.
  ///
  /// A batch without rows says that the worker touched the table elsewhere: the table's step
  /// counter advances alike on all shards.
  ///
  /// @param branch the branch
  /// @param worker who pushes
  /// @param clock the clock that ends, from 0
  /// @param staleness the branch's; all workers must agree on it
  /// @param stepSize the branch's; all workers must agree on it
  /// @param samples number of samples in the sums, >= 0
  /// @param batches sums; a row occurs at most once
  record Push(
      BranchRef branch,
      int worker,
      long clock,
      Staleness staleness,
      StepSize stepSize,
      long samples,
      List<RowBatch> batches)
      implements ShardCommand {}

  /// Sets parameters at once, whatever the clock; optimizer state stays.
  ///
  /// @param branch the branch
  /// @param worker who assigns
  /// @param batches the values
  record Assign(BranchRef branch, int worker, List<RowBatch> batches) implements ShardCommand {}

  /// Creates a branch of zeros, or of a restored checkpoint; collective.
  ///
  /// @param branch the new branch
  /// @param worker who asks
  record Create(BranchRef branch, int worker) implements ShardCommand {}

  /// Forks a branch; collective. The child has the parent's parameters, optimizer state and step
  /// counters; its clocks start at 0.
  ///
  /// @param child the new branch
  /// @param parent the old branch
  /// @param worker who asks
  record Fork(BranchRef child, BranchRef parent, int worker) implements ShardCommand {}

  /// Frees a branch; collective.
  ///
  /// @param branch the branch
  /// @param worker who asks
  record Free(BranchRef branch, int worker) implements ShardCommand {}

  /// Pins a snapshot of a branch for the process that owns the shard; collective.
  ///
  /// @param branch the branch
  /// @param worker who asks
  record Save(BranchRef branch, int worker) implements ShardCommand {}

  /// Votes for a barrier; answered by [ShardReply.BarrierState] when all workers have voted, or
  /// when the vote is withdrawn.
  ///
  /// @param name of the barrier, never used for a second one
  /// @param worker who votes
  record Barrier(String name, int worker) implements ShardCommand {}

  /// Takes a vote back unless the barrier has completed; the answer says which.
  ///
  /// @param name of the barrier
  /// @param worker who voted
  record Withdraw(String name, int worker) implements ShardCommand {}

  /// Asks what the worker's commands are waiting for; answered by [ShardReply.Explanation].
  ///
  /// @param worker who asks
  record Explain(int worker) implements ShardCommand {}
}
