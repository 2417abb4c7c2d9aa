package dev.espalier.tuner.persistence;

import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.rest.SnapshotView;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.springframework.jdbc.core.JdbcTemplate;

/// Snapshots as they are stored.
final class StoredSnapshots {
  private static final String SELECT =
      "select number, branch, start_number, mainline_clock, epoch, setting::text, state,"
          + " size_bytes, pinned, create_time from snapshot where job_id = ?";

  private StoredSnapshots() {}

  /// {@return snapshots of a job, oldest first}
  static List<SnapshotView> page(
      JdbcTemplate sql, DocumentCodec codec, String job, long after, int most) {
    return sql.query(
        SELECT + " and number > ? order by number limit ?",
        (row, number) -> view(row, codec),
        job,
        after,
        most);
  }

  /// {@return the snapshots after a number, and all that are on the disk or on their way, oldest
  /// first}
  static List<SnapshotView> latest(JdbcTemplate sql, DocumentCodec codec, String job, long after) {
    return sql.query(
        SELECT + " and (number > ? or state in ('READY', 'WRITING')) order by number",
        (row, number) -> view(row, codec),
        job,
        after);
  }

  static long count(JdbcTemplate sql, String job) {
    return Objects.requireNonNull(
        sql.queryForObject("select count(*) from snapshot where job_id = ?", Long.class, job));
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
