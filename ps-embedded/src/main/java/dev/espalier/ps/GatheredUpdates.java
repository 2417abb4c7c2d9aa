package dev.espalier.ps;

import dev.espalier.ps.cache.UpdateBuffer;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowRange;
import java.util.ArrayList;
import java.util.List;

/// What was added in a clock and has not left: sums of rows, and gradients that are factors or lie
/// on a device, which are not added up.
///
/// Belongs to the session's thread.
final class GatheredUpdates {
  private final UpdateBuffer sums;
  private final RowPlaces places;
  private final List<FactorUpdate> factors = new ArrayList<>();
  private final List<RowBatch> onDevice = new ArrayList<>();

  /// A gradient of consecutive rows that was added as factors.
  private record FactorUpdate(int table, long first, Factors factors) {}

  GatheredUpdates(UpdateBuffer sums, RowPlaces places) {
    this.sums = sums;
    this.places = places;
  }

  void add(int table, long first, int count, float[] gradients, int offset) {
    sums.add(table, first, count, gradients, offset);
  }

  void add(int table, long[] rows, int count, float[] gradients) {
    sums.add(table, rows, count, gradients);
  }

  void addFactors(int table, long first, Factors gradient) {
    factors.add(new FactorUpdate(table, first, gradient));
  }

  /// @param gradient of a whole table, in memory of the only shard's device
  void addOnDevice(RowBatch gradient) {
    onDevice.add(gradient);
  }

  boolean hasOnDevice(int table) {
    return onDevice.stream().anyMatch(update -> update.table() == table);
  }

  boolean isEmpty() {
    return sums.isEmpty() && factors.isEmpty() && onDevice.isEmpty();
  }

  /// Forgets all, and gives memory back.
  void drop() {
    sums.drop();
    onDevice.forEach(RowBatch::release);
    onDevice.clear();
    factors.clear();
  }

  /// Takes all that are not sums out.
  ///
  /// @param sumsByShard batches of each shard
  /// @return these and the others
  List<List<RowBatch>> drainBeside(List<List<RowBatch>> sumsByShard) {
    if (factors.isEmpty() && onDevice.isEmpty()) {
      return sumsByShard;
    }
    List<List<RowBatch>> all = new ArrayList<>();
    for (int shard = 0; shard < sumsByShard.size(); shard++) {
      List<RowBatch> batches = new ArrayList<>(sumsByShard.get(shard));
      for (FactorUpdate update : factors) {
        batches.add(part(update, shard));
      }
      all.add(batches);
    }
    // Of a single shard, which is in this process.
    all.getFirst().addAll(onDevice);
    factors.clear();
    onDevice.clear();
    return all;
  }

  private RowBatch part(FactorUpdate update, int shard) {
    RowRange part = places.cut(update.table(), update.first(), update.factors().rows()).get(shard);
    if (part.count() == 0) {
      return RowBatch.empty(update.table());
    }
    int first = (int) (part.first() - update.first());
    return RowBatch.of(
        update.table(), part.first(), update.factors().part(first, (int) part.count()));
  }
}
