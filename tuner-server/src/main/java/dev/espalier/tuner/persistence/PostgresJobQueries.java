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
import dev.espalier.api.rest.MainlineView;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.core.session.SessionEvent;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.jdbc.core.JdbcTemplate;

/// Jobs as people look at them, read from what the logs came to.
final class PostgresJobQueries implements JobQueries {
  private static final String TRIED =
      """
      with tried as (
        select sum(clock_count) as clocks, sum(run_seconds) as seconds,
          bool_or(branch.state = 'FAILED' or verdict is not distinct from 'DIVERGED') as diverged,
          ceil(max(training_sample_count) / greatest(1, max(worker_count) * coalesce(
            max((branch.setting ->> 'batchSize')::float8), max(default_batch_size))))
            as clocks_per_epoch
        from branch join job using (job_id)
        where job_id = ? and clock_count > 0 and kind <> 'EVALUATION'
        group by branch.setting::text
      ), timed as (
        select *, clocks_per_epoch * sum(seconds) over same_batch / sum(clocks) over same_batch
            as epoch_seconds
        from tried
        window same_batch as (partition by clocks_per_epoch)
      )
      select count(*), count(*) filter (where diverged),
        coalesce(sum(epoch_seconds) filter (where not diverged), 0),
        coalesce(sum(epoch_seconds) filter (where diverged), 0),
        coalesce(sum(seconds) filter (where diverged), 0),
        coalesce(sum(ceil(clocks / clocks_per_epoch)), 0)
      from timed
      """;

  private static final String EVALUATIONS =
      "select start_number, branch, leads, mainline_clock, epoch, at_seconds, metrics::text,"
          + " sequence from evaluation where job_id = ?";

  private final Transactions transactions;
  private final Transactions byKey;
  private final JobRepository jobs;
  private final BranchRepository branches;
  private final RoundRepository rounds;
  private final ResultRepository results;
  private final JdbcTemplate sql;
  private final DocumentCodec codec;
  private final LossBlocks losses;
  private final Stalls stalls;

  /// @param transactions for what may read much
  /// @param byKey for what reads one row by its key: people act on what it says, so it has no turn
  ///   to wait for
  PostgresJobQueries(
      Transactions transactions,
      Transactions byKey,
      JobRepository jobs,
      BranchRepository branches,
      RoundRepository rounds,
      ResultRepository results,
      JdbcTemplate sql,
      DocumentCodec codec,
      Stalls stalls) {
    this.transactions = transactions;
    this.byKey = byKey;
    this.jobs = jobs;
    this.branches = branches;
    this.rounds = rounds;
    this.results = results;
    this.sql = sql;
    this.codec = codec;
    this.losses = new LossBlocks(sql);
    this.stalls = stalls;
  }

  @Override
  public PageView<JobView> jobs(
      Set<JobState> states, String name, int pageSize, @Nullable String pageToken) {
    long before = PageToken.position("jobs", pageToken, Long.MAX_VALUE);
    Set<JobState> wanted = states.isEmpty() ? EnumSet.allOf(JobState.class) : states;
    String pattern = "%" + name.toLowerCase(Locale.ROOT).replaceAll("([\\\\%_])", "\\\\$1") + "%";
    return transactions.read(() ->
        PageToken.page(
            "jobs",
            jobs.page(before, wanted, pattern, Limit.of(pageSize + 1)),
            pageSize,
            this::view,
            row -> row.position == null ? 0 : row.position));
  }

  @Override
  public Optional<JobView> job(String job) {
    return byKey.read(() -> jobs.findById(job).map(this::view));
  }

  private JobView view(JobEntity row) {
    return row.view(codec, stalls.of(row.id).orElse(null));
  }

  @Override
  public Optional<JobSpec> spec(String job) {
    return transactions.read(() -> jobs.findById(job).map(row -> codec.readSpec(row.spec)));
  }

  @Override
  public Optional<Recorded> recorded(String job) {
    return transactions.read(() ->
        jobs.findById(job)
            .map(row ->
                new Recorded(
                    codec.readSpec(row.spec),
                    row.policyVersion,
                    row.eventCount,
                    row.decisionCount)));
  }

  @Override
  public List<SessionEvent> events(String job, long after, long until) {
    return transactions.read(() -> StoredEvents.read(sql, codec, job, after, until));
  }

  @Override
  public PageView<BranchView> branches(
      String job,
      @Nullable Integer round,
      @Nullable String kind,
      int pageSize,
      @Nullable String pageToken) {
    int after = (int) Math.min(Integer.MAX_VALUE, PageToken.position("branches", pageToken, -1));
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
  public List<BranchView> mainBranches(String job, int most) {
    return transactions.read(
        () -> branches.mainOnes(job, most / 2).stream().map(row -> row.view(codec)).toList());
  }

  @Override
  public Map<Integer, Long> childCounts(String job, Collection<Integer> parents) {
    Object[] numbers = parents.toArray();
    return transactions.read(() -> {
      var counts = new TreeMap<Integer, Long>();
      sql.query(
          "select parent_branch, count(*) from branch where job_id = ? and parent_branch = any(?)"
              + " group by parent_branch",
          statement -> {
            statement.setString(1, job);
            statement.setArray(2, statement.getConnection().createArrayOf("int4", numbers));
          },
          row -> {
            counts.put(row.getInt(1), row.getLong(2));
          });
      return counts;
    });
  }

  @Override
  public Tried tried(String job) {
    return transactions.read(() -> sql.queryForObject(TRIED, (row, number) -> tried(row), job));
  }

  private static Tried tried(ResultSet row) throws SQLException {
    return new Tried(
        row.getInt(1),
        row.getInt(2),
        row.getDouble(3),
        row.getDouble(4),
        row.getDouble(5),
        row.getDouble(6));
  }

  @Override
  public Optional<BranchView> branch(String job, int branch) {
    return byKey.read(() -> branches.findByJobIdAndNumber(job, branch).map(row -> row.view(codec)));
  }

  @Override
  public PageView<RoundView> rounds(String job, int pageSize, @Nullable String pageToken) {
    int after = (int) Math.min(Integer.MAX_VALUE, PageToken.position("rounds", pageToken, 0));
    return transactions.read(() ->
        PageToken.page(
            "rounds",
            rounds.findByJobIdAndNumberGreaterThanOrderByNumber(job, after, Limit.of(pageSize + 1)),
            pageSize,
            RoundEntity::view,
            row -> row.number));
  }

  @Override
  public Latest<RoundView> latestRounds(String job, int most) {
    List<RoundView> last =
        transactions
            .read(() -> rounds.findByJobIdOrderByNumberDesc(job, Limit.of(most)))
            .reversed()
            .stream()
            .map(RoundEntity::view)
            .toList();
    return new Latest<>(last, last.isEmpty() ? 0 : last.getFirst().round() - 1);
  }

  @Override
  public PageView<DecisionView> decisions(
      String job, DecisionFilter filter, int pageSize, @Nullable String pageToken) {
    boolean down = filter.newestFirst();
    String list = down ? "newest-decisions" : "decisions";
    long edge = PageToken.position(list, pageToken, down ? Long.MAX_VALUE : 0);
    Integer round = filter.round();
    return transactions.read(() ->
        PageToken.page(
            list,
            sql.query(
                "select sequence, key, rule, outcome, actor, round, evidence::text,"
                    + " decide_time from decision where job_id = ?"
                    + (down ? " and sequence < ?" : " and sequence > ?")
                    + (round == null ? "" : " and round = " + round)
                    + (filter.byPeople() ? " and actor <> 'policy'" : "")
                    + " order by sequence"
                    + (down ? " desc" : "")
                    + " limit ?",
                (row, number) -> decision(row),
                job,
                edge,
                pageSize + 1),
            pageSize,
            decision -> decision,
            DecisionView::sequence));
  }

  @Override
  public PageView<SnapshotView> snapshots(String job, int pageSize, @Nullable String pageToken) {
    long after = PageToken.position("snapshots", pageToken, 0);
    return transactions.read(() ->
        PageToken.page(
            "snapshots",
            StoredSnapshots.page(sql, codec, job, after, pageSize + 1),
            pageSize,
            snapshot -> snapshot,
            SnapshotView::snapshot));
  }

  @Override
  public Latest<SnapshotView> latestSnapshots(String job, int most) {
    return transactions.read(() -> {
      long count = StoredSnapshots.count(sql, job);
      List<SnapshotView> last = StoredSnapshots.latest(sql, codec, job, count - most);
      return new Latest<>(last, count - last.size());
    });
  }

  @Override
  public Optional<SnapshotView> snapshot(String job, long snapshot) {
    return byKey.read(() -> StoredSnapshots.read(sql, codec, job, snapshot));
  }

  @Override
  public ScheduleView schedule(String job) {
    return transactions.read(() ->
        new ScheduleView(
            job,
            StoredSchedule.read(sql, codec, job).steps(),
            jobs.findById(job)
                .map(row -> row.result)
                .map(place -> StoredSchedule.result(place, stepsTo(job)))
                .orElse(null)));
  }

  private List<ScheduleView.ResultStep> stepsTo(String job) {
    return results.findById(job).map(row -> StoredSchedule.steps(row, codec)).orElse(List.of());
  }

  @Override
  public PageView<EvaluationView> evaluations(
      String job, int pageSize, @Nullable String pageToken) {
    long after = PageToken.position("evaluations", pageToken, 0);
    PageView<Evaluated> page =
        transactions.read(() ->
            PageToken.page(
                "evaluations",
                sql.query(
                    EVALUATIONS + " and sequence > ? order by sequence limit ?",
                    (row, number) -> evaluation(row),
                    job,
                    after,
                    pageSize + 1),
                pageSize,
                one -> one,
                Evaluated::sequence));
    return new PageView<>(
        page.items().stream().map(Evaluated::view).toList(), page.nextPageToken());
  }

  @Override
  public Latest<EvaluationView> latestEvaluations(String job, int most) {
    List<Evaluated> last =
        transactions
            .read(() ->
                sql.query(
                    EVALUATIONS + " order by sequence desc limit ?",
                    (row, number) -> evaluation(row),
                    job,
                    most))
            .reversed();
    return new Latest<>(
        last.stream().map(Evaluated::view).toList(),
        last.isEmpty() ? 0 : last.getFirst().sequence() - 1);
  }

  /// @param sequence place among the job's evaluations, from 1
  private record Evaluated(long sequence, EvaluationView view) {}

  private Evaluated evaluation(ResultSet row) throws SQLException {
    return new Evaluated(
        row.getLong(8),
        new EvaluationView(
            row.getInt(1),
            row.getObject(2, Integer.class),
            row.getBoolean(3),
            row.getLong(4),
            row.getDouble(5),
            row.getDouble(6),
            finiteOrNull(codec.readNumbers(row.getString(7)))));
  }

  @Override
  public SeriesView series(String job, int branch, long from, long to, int points) {
    return transactions.read(() -> {
      long forkClock =
          branches.findByJobIdAndNumber(job, branch).map(row -> row.forkClock).orElse(0L);
      return new SeriesView(branch, forkClock, losses.series(job, branch, from, to, points));
    });
  }

  @Override
  public List<SeriesView> series(String job, List<Integer> numbers, int points) {
    return transactions.read(() -> losses.series(job, numbers, points));
  }

  @Override
  public MainlineView mainline(String job, long from, long to, int points) {
    return transactions.read(() -> losses.mainline(job, from, to, points));
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
          "select state, count(*) from job where delete_time is null group by state",
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
            EspalierException.of(
                ErrorCode.INVALID_REQUEST,
                "/kind",
                "kind must be one of " + Arrays.toString(BranchKind.values()) + " but is " + kind,
                kind));
  }
}
