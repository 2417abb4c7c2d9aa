package dev.espalier.bench.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// A parameter server that is told nothing: every read is a request, and every update leaves as it
/// was made.
final class KeyValueRows implements RowSweep.Rows {
  private final Transport transport;
  private final int worker;
  private final BranchRef branch;
  private final List<Partitioner> partitioners;
  private final int[] columns;
  private final List<List<RowBatch>> updates;
  private long clock;

  KeyValueRows(
      Transport transport, int worker, int workers, List<TableSpec> tables, BranchRef branch) {
    this.transport = transport;
    this.worker = worker;
    this.branch = branch;
    partitioners = tables.stream().map(spec -> new Partitioner(spec.rows(), workers)).toList();
    columns = tables.stream().mapToInt(TableSpec::columns).toArray();
    updates =
        IntStream.range(0, workers)
            .mapToObj(_ -> (List<RowBatch>) new ArrayList<RowBatch>())
            .toList();
  }

  @Override
  public void read(int table, long row, float[] values) {
    var read =
        new ShardCommand.Read(
            branch,
            worker,
            clock,
            Staleness.bulkSynchronous(),
            table,
            new RowSelection.Keys(new long[] {row}));
    require(
        transport
            .read(
                partitioners.get(table).shardOf(row),
                read,
                new RowTarget(values, 0, columns[table], null))
            .join());
  }

  @Override
  public void add(int table, long row, float[] values) {
    updates
        .get(partitioners.get(table).shardOf(row))
        .add(new RowBatch(table, new RowSelection.Keys(new long[] {row}), values.clone()));
  }

  /// Ends the clock.
  void tick(StepSize stepSize) {
    for (int shard = 0; shard < updates.size(); shard++) {
      var push =
          new ShardCommand.Push(
              branch,
              worker,
              clock,
              Staleness.bulkSynchronous(),
              stepSize,
              1,
              List.copyOf(updates.get(shard)));
      require(transport.send(shard, push).join());
      updates.get(shard).clear();
    }
    clock++;
  }

  private static void require(ShardReply reply) {
    if (reply instanceof ShardReply.Failed failed) {
      throw failed.toException();
    }
  }
}
