package dev.espalier.tuner.persistence;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.JobQueries;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.jdbc.core.JdbcTemplate;

/// Jobs as people look at them, read from what the logs came to.
final class PostgresJobQueries implements JobQueries {
  private final Transactions transactions;
  private final JobRepository jobs;
  private final BranchRepository branches;
  private final RoundRepository rounds;
  private final JdbcTemplate sql;
  private final DocumentCodec codec;

  PostgresJobQueries(
      Transactions transactions,
      JobRepository jobs,
      BranchRepository branches,
      RoundRepository rounds,
      JdbcTemplate sql,
      DocumentCodec codec) {
    this.transactions = transactions;
    this.jobs = jobs;
    this.branches = branches;
    this.rounds = rounds;
    this.sql = sql;
    this.codec = codec;
  }

  @Override
  public PageView<JobView> jobs(
      @Nullable JobState state, int pageSize, @Nullable String pageToken) {
    long before = PageToken.position("jobs", pageToken, Long.MAX_VALUE);
    Limit limit = Limit.of(pageSize + 1);
    return transactions.read(() -> {
      List<JobEntity> rows =
          state == null
              ? jobs.findByPositionLessThanOrderByPositionDesc(before, limit)
              : jobs.findByStateAndPositionLessThanOrderByPositionDesc(state, before, limit);
      return PageToken.page(
          "jobs",
          rows,
          pageSize,
          row -> row.view(codec),
          row -> row.position == null ? 0 : row.position);
    });
  }

  @Override
  public Optional<JobView> job(String job) {
    return transactions.read(() -> jobs.findById(job).map(row -> row.view(codec)));
  }

  @Override
  public Optional<JobSpec> spec(String job) {
    return transactions.read(() -> jobs.findById(job).map(row -> codec.readSpec(row.spec)));
  }

  @Override
  public PageView<BranchView> branches(
      String job,
      @Nullable Integer round,
      @Nullable String kind,
      int pageSize,
      @Nullable String pageToken) {
    int after = Math.toIntExact(PageToken.position("branches", pageToken, -1));
    List<BranchKind> kinds =
        kind == null ? List.of(BranchKind.values()) : List.of(branchKind(kind));
    return transactions.read(() ->
        PageToken.page(
            "branches",
            branches.page(job, after, round == null ? -1 : round, kinds, Limit.of(pageSize + 1)),
            pageSize,
            row -> row.view(codec),
            row -> row.number));
  }

  @Override
  public Optional<BranchView> branch(String job, int branch) {
    return transactions.read(
        () -> branches.findByJobIdAndNumber(job, branch).map(row -> row.view(codec)));
  }

  @Override
  public List<RoundView> rounds(String job) {
    return transactions.read(
        () -> rounds.findByJobIdOrderByNumber(job).stream().map(RoundEntity::view).toList());
  }

  @Override
  public PageView<DecisionView> decisions(String job, int pageSize, @Nullable String pageToken) {
    long after = PageToken.position("decisions", pageToken, 0);
    return transactions.read(() ->
        PageToken.page(
            "decisions",
            sql.query(
                "select sequence, key, rule, outcome, actor, round, evidence::text,"
                    + " decide_time from decision where job_id = ? and sequence > ?"
                    + " order by sequence limit ?",
                (row, number) -> decision(row),
                job,
                after,
                pageSize + 1),
            pageSize,
            decision -> decision,
            DecisionView::sequence));
  }

  @Override
  public ScheduleView schedule(String job) {
    return transactions.read(() -> StoredSchedule.read(sql, codec, job));
  }

  @Override
  public List<EvaluationView> evaluations(String job) {
    return transactions.read(() ->
        sql.query(
            "select mainline_clock, epoch, at_seconds, metrics::text from evaluation"
                + " where job_id = ? order by sequence",
            (row, number) ->
                new EvaluationView(
                    row.getLong(1),
                    row.getDouble(2),
                    row.getDouble(3),
                    finiteOrNull(codec.readNumbers(row.getString(4)))),
            job));
  }

  @Override
  public SeriesView series(String job, int branch, int points) {
    return transactions.read(() -> {
      long forkClock =
          branches.findByJobIdAndNumber(job, branch).map(row -> row.forkClock).orElse(0L);
      // Without statistics of a young table PostgreSQL would find the bounds anew for every row.
      List<SeriesView.Bucket> buckets =
          sql.query(
              """
              with bounds as materialized (
                select min(clock) as low, max(clock) + 1 as high from metric_point
                where job_id = ? and branch = ?
              ), point as (
                select clock, run_seconds, loss,
                  loss not in ('NaN', 'Infinity', '-Infinity') as is_finite,
                  (clock - low) * ? / greatest(high - low, ?) as bucket
                from metric_point, bounds where job_id = ? and branch = ?
              )
              select min(clock), max(clock) + 1, max(run_seconds),
                min(loss) filter (where is_finite), max(loss) filter (where is_finite),
                avg(loss) filter (where is_finite), count(*) filter (where not is_finite)
              from point group by bucket order by bucket
              """,
              (row, number) -> bucket(row),
              job,
              branch,
              points,
              points,
              job,
              branch);
      return new SeriesView(branch, forkClock, buckets);
    });
  }

  @Override
  public List<StreamEvent> stream(String job, long sequence, int limit) {
    return transactions.read(() ->
        sql.query(
            "select job_id, sequence, type, event_time, data::text from stream_event"
                + " where job_id = ? and sequence > ? order by sequence limit ?",
            StreamRows.mapper(codec),
            job,
            sequence,
            limit));
  }

  @Override
  public long streamSequence(String job) {
    return transactions.read(() ->
        sql
            .query(
                "select stream_count from job where job_id = ?",
                (row, number) -> row.getLong(1),
                job)
            .stream()
            .findFirst()
            .orElse(0L));
  }

  @Override
  public Map<JobState, Long> jobsByState() {
    return transactions.read(() -> {
      var counts = new EnumMap<JobState, Long>(JobState.class);
      sql.query(
          "select state, count(*) from job group by state",
          row -> {
            counts.put(JobState.valueOf(row.getString(1)), row.getLong(2));
          });
      return counts;
    });
  }

  private DecisionView decision(ResultSet row) throws SQLException {
    return new DecisionView(
        row.getLong(1),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        row.getString(5),
        row.getInt(6),
        codec.readTree(row.getString(7)),
        row.getTimestamp(8).toInstant());
  }

  private static SeriesView.Bucket bucket(ResultSet row) throws SQLException {
    return new SeriesView.Bucket(
        row.getLong(1),
        row.getLong(2),
        row.getDouble(3),
        number(row, 4),
        number(row, 5),
        number(row, 6),
        row.getLong(7));
  }

  private static @Nullable Double number(ResultSet row, int column) throws SQLException {
    double value = row.getDouble(column);
    return row.wasNull() || !Double.isFinite(value) ? null : value;
  }

  private static Map<String, @Nullable Double> finiteOrNull(Map<String, Double> numbers) {
    var copy = new TreeMap<String, @Nullable Double>();
    numbers.forEach((name, value) -> copy.put(name, Double.isFinite(value) ? value : null));
    return copy;
  }

  private static BranchKind branchKind(String kind) {
    return Arrays.stream(BranchKind.values())
        .filter(one -> one.name().equals(kind))
        .findFirst()
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.INVALID_REQUEST,
                "kind must be one of " + Arrays.toString(BranchKind.values()) + " but is " + kind));
  }
}
