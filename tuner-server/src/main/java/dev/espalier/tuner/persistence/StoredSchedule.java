package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.ScheduleView;
import java.util.List;
import org.springframework.jdbc.core.JdbcTemplate;

/// Reads the schedule of a job.
final class StoredSchedule {
  private StoredSchedule() {}

  /// {@return the mainline's settings over time, without the path to the result}
  static ScheduleView read(JdbcTemplate sql, DocumentCodec codec, String job) {
    return new ScheduleView(
        job,
        sql.query(
            "select from_clock, from_epoch, branch, setting::text from schedule_step"
                + " where job_id = ? order by from_clock",
            (row, number) ->
                new ScheduleView.Step(
                    row.getLong(1),
                    row.getDouble(2),
                    row.getInt(3),
                    codec.readNumbers(row.getString(4))),
            job),
        null);
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
