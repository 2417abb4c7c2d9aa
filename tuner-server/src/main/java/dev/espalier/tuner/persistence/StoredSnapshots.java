package dev.espalier.tuner.persistence;

import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.rest.SnapshotView;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.springframework.jdbc.core.JdbcTemplate;

/// Snapshots as they are stored.
final class StoredSnapshots {
  private static final String SELECT =
      "select number, branch, start_number, mainline_clock, epoch, setting::text, state,"
          + " size_bytes, pinned, create_time from snapshot where job_id = ?";

  private StoredSnapshots() {}

  /// {@return all snapshots of a job, oldest first}
  static List<SnapshotView> read(JdbcTemplate sql, DocumentCodec codec, String job) {
    return sql.query(SELECT + " order by number", (row, number) -> view(row, codec), job);
  }

  /// {@return one snapshot; empty when there is none}
  static Optional<SnapshotView> read(
      JdbcTemplate sql, DocumentCodec codec, String job, long snapshot) {
    return sql
        .query(SELECT + " and number = ?", (row, number) -> view(row, codec), job, snapshot)
        .stream()
        .findFirst();
  }

  private static SnapshotView view(ResultSet row, DocumentCodec codec) throws SQLException {
    return new SnapshotView(
        row.getLong(1),
        row.getInt(2),
        row.getInt(3),
        row.getLong(4),
        row.getDouble(5),
        codec.readNumbers(row.getString(6)),
        SnapshotState.valueOf(row.getString(7)),
        row.getLong(8),
        row.getBoolean(9),
        row.getTimestamp(10).toInstant());
  }
}
