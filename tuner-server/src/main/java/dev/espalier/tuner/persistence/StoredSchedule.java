package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.ScheduleView;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.springframework.jdbc.core.JdbcTemplate;

/// Reads the schedule of a job.
final class StoredSchedule {
  private static final String STEPS =
      "select from_clock, from_epoch, branch, setting::text from schedule_step where job_id = ?";

  private StoredSchedule() {}

  /// {@return the mainline's settings over time, without the path to the result}
  static ScheduleView read(JdbcTemplate sql, DocumentCodec codec, String job) {
    return new ScheduleView(
        job,
        sql.query(STEPS + " order by from_clock", (row, number) -> step(row, codec), job),
        null);
  }

  /// {@return the setting that the mainline has now, and where it began}
  static Optional<ScheduleView.Step> last(JdbcTemplate sql, DocumentCodec codec, String job) {
    return sql
        .query(STEPS + " order by from_clock desc limit 1", (row, number) -> step(row, codec), job)
        .stream()
        .findFirst();
  }

  private static ScheduleView.Step step(ResultSet row, DocumentCodec codec) throws SQLException {
    return new ScheduleView.Step(
        row.getLong(1), row.getDouble(2), row.getInt(3), codec.readNumbers(row.getString(4)));
  }

  static ScheduleView.Result result(ResultPlace place, List<ScheduleView.ResultStep> steps) {
    return new ScheduleView.Result(place.start(), place.clock(), place.epoch(), steps);
  }

  static List<ScheduleView.ResultStep> steps(ResultEntity row, DocumentCodec codec) {
    return codec.readPath(row.path).stream()
        .map(step ->
            new ScheduleView.ResultStep(
                step.fromClock(), step.setting().values(), step.cooldown().orElse(null)))
        .toList();
  }
}
