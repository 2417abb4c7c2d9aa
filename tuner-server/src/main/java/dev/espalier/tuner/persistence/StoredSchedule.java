package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.ScheduleView;
import dev.espalier.tuner.core.session.SessionEffect;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.springframework.jdbc.core.JdbcTemplate;

/// Reads the schedule of a job.
final class StoredSchedule {
  private static final String STEPS =
      "select from_clock, from_epoch, branch, setting::text from schedule_step where job_id = ?";

  private static final String ANCESTORS =
      BranchChain.OF_BRANCH
          + "select number, fork_clock, setting::text from chain"
          + " where depth > 0 and fork_clock < ? order by depth desc";

  private StoredSchedule() {}

  /// {@return the mainline's settings over time, without the path to the result}
  static ScheduleView read(JdbcTemplate sql, DocumentCodec codec, String job) {
    return new ScheduleView(
        job,
        sql.query(STEPS + " order by from_clock", (row, number) -> step(row, codec), job),
        null);
  }

  /// {@return the branches that led to where a branch took the mainline over, the first one first}
  static List<Ancestor> ancestors(
      JdbcTemplate sql, DocumentCodec codec, String job, SessionEffect.ScheduleChanged change) {
    return sql.query(
        ANCESTORS,
        (row, number) ->
            new Ancestor(row.getInt(1), row.getLong(2), codec.readNumbers(row.getString(3))),
        job,
        change.branch().number(),
        job,
        change.mainlineClock());
  }

  /// A branch of the mainline's chain, and the mainline's clock where it begins.
  record Ancestor(int branch, long forkClock, Map<String, Double> setting) {}

  /// How the settings of the mainline follow from its branches.
  ///
  /// @param before steps that were told, of this course or another
  /// @param ancestors the first one first
  /// @param clocksPerEpoch by setting
  record Course(
      List<ScheduleView.Step> before,
      List<Ancestor> ancestors,
      ToLongFunction<Map<String, Double>> clocksPerEpoch) {
    /// {@return the steps up to `last`; one with the setting of the step before is none}
    ///
    /// A mainline that went back, another start or another run leads along other branches, whatever
    /// was told before. What is not known of them is taken from there.
    List<ScheduleView.Step> leadingTo(ScheduleView.Step last) {
      long known = ancestors.isEmpty() ? last.fromClock() : ancestors.getFirst().forkClock();
      var steps = new ArrayList<ScheduleView.Step>();
      before.stream().filter(step -> step.fromClock() < known).forEach(steps::add);
      for (Ancestor ancestor : ancestors) {
        append(steps, stepOf(ancestor, steps));
      }
      append(steps, last);
      return steps;
    }

    private ScheduleView.Step stepOf(Ancestor of, List<ScheduleView.Step> earlier) {
      for (ScheduleView.Step told : before) {
        if (told.fromClock() == of.forkClock()
            && told.branch() == of.branch()
            && told.setting().equals(of.setting())) {
          return told;
        }
      }
      double epoch = 0;
      if (!earlier.isEmpty()) {
        ScheduleView.Step step = earlier.getLast();
        epoch =
            step.fromEpoch()
                + (double) (of.forkClock() - step.fromClock())
                    / clocksPerEpoch.applyAsLong(step.setting());
      }
      return new ScheduleView.Step(of.forkClock(), epoch, of.branch(), of.setting());
    }

    private static void append(List<ScheduleView.Step> steps, ScheduleView.Step step) {
      if (!steps.isEmpty() && steps.getLast().fromClock() == step.fromClock()) {
        steps.removeLast();
      }
      if (steps.isEmpty() || !steps.getLast().setting().equals(step.setting())) {
        steps.add(step);
      }
    }
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
