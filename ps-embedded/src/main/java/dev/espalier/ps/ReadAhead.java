package dev.espalier.ps;

import dev.espalier.ps.shard.ShardReply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Reads that a program announced for its next clock, sent as soon as this clock has ended.
///
/// For programs whose clocks touch rows that differ from clock to clock but are known before, such
/// as those of the next minibatch. Belongs to the session's thread.
final class ReadAhead {

  /// How rows are asked for.
  interface Sender {
    /// @param values receives the rows
    /// @return the answer of each shard, null of those that have none of the rows
    List<@Nullable CompletableFuture<ShardReply>> send(
        Moment moment, int table, long[] rows, int count, float[] values);
  }

  private record Announced(int table, long[] rows) {}

  /// A read that is under way.
  ///
  /// @param values where its rows are once all shards have answered
  /// @param replies of each shard, null of those that have none of the rows
  record Sent(
      Moment moment,
      int table,
      long[] rows,
      float[] values,
      List<@Nullable CompletableFuture<ShardReply>> replies) {}

  private final int[] columns;
  private final Sender sender;
  private final List<Announced> announced = new ArrayList<>();
  private final List<Sent> sent = new ArrayList<>();

  ReadAhead(int[] columns, Sender sender) {
    this.columns = columns.clone();
    this.sender = sender;
  }

  void announce(int table, long[] rows, int count) {
    announced.add(new Announced(table, Arrays.copyOf(rows, count)));
  }

  /// Asks for what was announced; what was asked for before is not wanted any more.
  void advance(Moment moment) {
    sent.clear();
    for (Announced read : announced) {
      int count = read.rows().length;
      float[] values = new float[Math.multiplyExact(count, columns[read.table()])];
      sent.add(
          new Sent(
              moment,
              read.table(),
              read.rows(),
              values,
              sender.send(moment, read.table(), read.rows(), count, values)));
    }
    announced.clear();
  }

  /// Takes the read of exactly these rows out, if it is under way.
  Optional<Sent> take(Moment moment, int table, long[] rows, int count) {
    for (Sent read : sent) {
      if (read.table() == table
          && read.moment().equals(moment)
          && Arrays.equals(read.rows(), 0, read.rows().length, rows, 0, count)) {
        sent.remove(read);
        return Optional.of(read);
      }
    }
    return Optional.empty();
  }

  /// Forgets everything: parameters were set meanwhile.
  void clear() {
    announced.clear();
    sent.clear();
  }
}
