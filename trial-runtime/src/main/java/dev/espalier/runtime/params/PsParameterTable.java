package dev.espalier.runtime.params;

import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.optim.Add;
import dev.espalier.ps.shard.OpenPages;
import dev.espalier.ps.shard.PinnedRows;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.sdk.OpenRows;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.TableView;
import java.util.Optional;
import java.util.function.Supplier;

/// A program's view of one table of the selected branch.
final class PsParameterTable implements ParameterTable {
  private final WorkerSession session;
  private final int table;
  private final TableSpec spec;
  private Use use = Use.TRAINING;

  PsParameterTable(WorkerSession session, int table, TableSpec spec) {
    this.session = session;
    this.table = table;
    this.spec = spec;
  }

  /// What a program may do with its tables.
  enum Use {
    /// Read, and add gradients.
    TRAINING,
    /// Read; gradients are thrown away.
    MEASURING,
    /// Read and assign; gradients are refused, for no clock would apply them.
    INITIALISING
  }

  void use(Use now) {
    use = now;
  }

  /// Whether gradients count.
  private boolean takesGradients() {
    if (use == Use.INITIALISING) {
      throw new IllegalStateException(
          "gradients may not be added to table %s inside initialise; assign its rows"
              .formatted(spec.name()));
    }
    return use == Use.TRAINING;
  }

  @Override
  public long rows() {
    return spec.rows();
  }

  @Override
  public int columns() {
    return spec.columns();
  }

  @Override
  public void read(long firstRow, int count, float[] values, int offset) {
    session.read(table, firstRow, count, values, offset);
  }

  @Override
  public void read(long[] rows, int count, float[] values) {
    session.read(table, rows, count, values);
  }

  @Override
  public void announce(long[] rows, int count) {
    // A measurement reads at once, and its announcements would wait for the next clock's end.
    if (takesGradients()) {
      session.announce(table, rows, count);
    }
  }

  @Override
  public Optional<TableView> view() {
    return session.pin(table).map(PinnedView::new);
  }

  @Override
  public OpenRows open(Supplier<long[]> rows) {
    if (!(spec.updateRule() instanceof Add)) {
      throw new IllegalStateException(
          "rule of table '%s' must be add to open its rows but is %s"
              .formatted(spec.name(), spec.rule()));
    }
    // A measurement may change copies: what it adds is thrown away.
    return (takesGradients() ? session.open(table) : Optional.<OpenPages>empty())
        .map(pages ->
            new OpenRows(spec.rows(), spec.columns(), pages.rowsPerPage(), new BranchRows(pages)))
        .orElseGet(() -> ParameterTable.super.open(rows));
  }

  private record BranchRows(OpenPages pages) implements OpenRows.Pages {
    @Override
    public long address(int page) {
      return pages.address(page);
    }

    @Override
    public void close() {
      pages.close();
    }
  }

  private record PinnedView(PinnedRows rows) implements TableView {
    @Override
    public long address() {
      return rows.address();
    }

    @Override
    public boolean isOnDevice() {
      return rows.isOnDevice();
    }

    @Override
    public void close() {
      rows.close();
    }
  }

  @Override
  public void add(long firstRow, int count, float[] gradients, int offset) {
    if (takesGradients()) {
      session.add(table, firstRow, count, gradients, offset);
    }
  }

  @Override
  public void add(long[] rows, int count, float[] gradients) {
    if (takesGradients()) {
      session.add(table, rows, count, gradients);
    }
  }

  @Override
  public boolean addFromDevice(long address) {
    return !takesGradients() || session.addFromDevice(table, address);
  }

  @Override
  public boolean prefersProducts(int count, int samples) {
    return session.sendsFactors(count, spec.columns(), samples);
  }

  @Override
  public void addProducts(long firstRow, int count, int samples, float[] left, float[] right) {
    if (takesGradients()) {
      session.addProducts(
          table, firstRow, new Factors(samples, count, spec.columns(), left, right));
    }
  }

  @Override
  public void assign(long firstRow, int count, float[] values, int offset) {
    if (use != Use.INITIALISING) {
      throw new IllegalStateException(
          "table " + spec.name() + " may be assigned only inside initialise");
    }
    session.assign(table, firstRow, count, values, offset);
  }
}
