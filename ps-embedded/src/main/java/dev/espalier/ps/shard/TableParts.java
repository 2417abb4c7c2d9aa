package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/// Chooses the pages of a shard's parts of the tables.
final class TableParts {
  /// Kernels count the floats of a page in 32 bits, in strides.
  private static final long MAX_DEVICE_PAGE_BYTES = 4L << 30;

  /// So much of a device may be taken by padding and content together, which every branch that
  /// differs takes again, whatever the share of the padding.
  private static final int SHARE_OF_A_BRANCH = 8;

  private TableParts() {}

  /// @param specs the tables
  /// @param deviceBytes for pages on a device; 0 where they lie on the host
  static List<TablePart> of(ShardConfig config, List<TableSpec> specs, long deviceBytes) {
    List<TablePart> onHost = parts(config, specs, access -> wantedOnHost(config, access));
    if (deviceBytes == 0) {
      return onHost;
    }
    // A matrix in one piece can be used where it lies, which pays as long as nothing has to move.
    List<TablePart> inOnePiece =
        ofOneSize(config, specs, Math.max(config.densePageBytes(), largestPage(onHost)));
    return fits(inOnePiece, deviceBytes) && isWorthPadding(inOnePiece, deviceBytes)
        ? inOnePiece
        : ofOneSize(config, specs, config.densePageBytes());
  }

  private static long wantedOnHost(ShardConfig config, TableAccess access) {
    return switch (access) {
      case DENSE -> config.densePageBytes();
      case MATRIX -> PageLayout.ONE_PAGE;
      case SPARSE -> config.sparsePageBytes();
    };
  }

  /// Frames of a device are of one size, so that any page can take the place of any other.
  private static List<TablePart> ofOneSize(
      ShardConfig config, List<TableSpec> specs, long wantedBytes) {
    List<TablePart> parts = parts(config, specs, _ -> wantedBytes);
    long pageBytes = largestPage(parts);
    return parts.stream().map(part -> part.withPageBytes(pageBytes)).toList();
  }

  private static long largestPage(List<TablePart> parts) {
    return parts.stream().mapToLong(part -> part.layout().pageBytes()).max().orElseThrow();
  }

  private static boolean fits(List<TablePart> parts, long deviceBytes) {
    long pages = parts.stream().mapToLong(part -> part.layout().pageCount()).sum();
    long largest = largestPage(parts);
    return largest < MAX_DEVICE_PAGE_BYTES
        && Math.max(pages, DeviceWork.MIN_PAGES) * largest <= deviceBytes;
  }

  /// Pages of the size of the largest matrix are hardly filled by small ones: they may be half
  /// empty altogether, or take little of the device.
  private static boolean isWorthPadding(List<TablePart> parts, long deviceBytes) {
    long padded = 0;
    long filled = 0;
    for (TablePart part : parts) {
      PageLayout layout = part.layout();
      padded += layout.pageCount() * layout.pageBytes();
      filled += layout.planeBytes() * layout.planes() * layout.pageCount();
    }
    return padded <= Math.max(2 * filled, deviceBytes / SHARE_OF_A_BRANCH);
  }

  private static List<TablePart> parts(
      ShardConfig config, List<TableSpec> specs, ToLongFunction<TableAccess> pageBytes) {
    List<TablePart> parts = new ArrayList<>();
    for (TableSpec spec : specs) {
      UpdateRule rule = spec.updateRule();
      RowRange range = new Partitioner(spec.rows(), config.workers()).rangeOf(config.index());
      long wanted = pageBytes.applyAsLong(spec.access());
      long most = PageLayout.mostRows(spec.columns(), rule.stateArrays(), wanted);
      if (range.count() > most) {
        throw new IllegalArgumentException(
            "rows of table '%s' must be <= %d on each worker but are %d"
                .formatted(spec.name(), most, range.count()));
      }
      PageLayout layout = PageLayout.of(range, spec.columns(), rule.stateArrays(), wanted);
      parts.add(new TablePart(parts.size(), spec, rule, layout));
    }
    return List.copyOf(parts);
  }
}
