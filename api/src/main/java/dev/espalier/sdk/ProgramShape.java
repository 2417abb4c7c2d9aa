package dev.espalier.sdk;

import dev.espalier.api.model.ProgramDescriptor;
import java.util.HashSet;
import java.util.List;

/// What a program needs from the runtime.
///
/// @param tables at least one, names unique
/// @param trainingSamples number of samples in the training data over all workers, >= 1
/// @param defaultBatchSize samples per worker and clock where no setting names `batchSize`, >= 1
public record ProgramShape(
    List<TableDeclaration> tables, int trainingSamples, int defaultBatchSize) {
  public ProgramShape {
    tables = List.copyOf(tables);
    if (tables.isEmpty()) {
      throw new IllegalArgumentException("a program needs at least one table but declared none");
    }
    if (trainingSamples < 1) {
      throw new IllegalArgumentException("trainingSamples must be >= 1 but is " + trainingSamples);
    }
    if (defaultBatchSize < 1) {
      throw new IllegalArgumentException(
          "defaultBatchSize must be >= 1 but is " + defaultBatchSize);
    }
    var names = new HashSet<String>();
    for (TableDeclaration table : tables) {
      if (!names.add(table.name())) {
        throw new IllegalArgumentException("table " + table.name() + " is declared twice");
      }
    }
  }

  /// Tables for training data of so many samples, at the default batch size of
  /// `ProgramDescriptor.of`.
  public static ProgramShape of(int trainingSamples, TableDeclaration... tables) {
    return new ProgramShape(List.of(tables), trainingSamples, ProgramDescriptor.DEFAULT_BATCH_SIZE);
  }
}
