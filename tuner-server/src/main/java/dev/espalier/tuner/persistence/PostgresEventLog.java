package dev.espalier.tuner.persistence;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import jakarta.persistence.EntityManager;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;

/// The log in PostgreSQL: one transaction per commit, everything in it or nothing.
///
/// The row of the job is locked first, so commits of one job come one after the other; the primary
/// key of the log refuses a second writer that got around that.
final class PostgresEventLog implements EventLog {
  /// Of each job. A viewer that comes back is sent at most half as many.
  static final int STREAM_KEPT = 10_000;

  private static final int STREAM_PRUNED_EVERY = 500;

  private final Transactions transactions;
  private final EntityManager entities;
  private final JobRepository jobs;
  private final BranchRepository branchRows;
  private final JdbcTemplate sql;
  private final DocumentCodec codec;
  private final InstantSource clock;

  PostgresEventLog(
      Transactions transactions,
      EntityManager entities,
      JobRepository jobs,
      BranchRepository branchRows,
      JdbcTemplate sql,
      DocumentCodec codec,
      InstantSource clock) {
    this.transactions = transactions;
    this.entities = entities;
    this.jobs = jobs;
    this.branchRows = branchRows;
    this.sql = sql;
    this.codec = codec;
    this.clock = clock;
  }

  @Override
  public List<StreamEvent> append(Commit commit) {
    return transactions.write(() -> write(commit));
  }

  @Override
  public List<SessionEvent> read(String job, long after) {
    return transactions.read(() -> StoredEvents.read(sql, codec, job, after, Long.MAX_VALUE));
  }

  /// Changes a job that no runner has, and so nothing is logged of.
  ///
  /// @param change from the row of the job, which has not ended; empty where nothing changes
  /// @return what the stream says of it
  List<StreamEvent> changeBeside(
      String id, Function<JobEntity, Optional<SessionEffect.JobChanged>> change) {
    return transactions.write(() ->
        jobs.findLocked(id)
            .filter(job -> !job.state.isTerminal())
            .flatMap(job -> change.apply(job).map(changed -> writeBeside(job, changed)))
            .orElse(List.of()));
  }

  private List<StreamEvent> writeBeside(JobEntity job, SessionEffect.JobChanged changed) {
    var written = new Written(job, clock.instant().truncatedTo(ChronoUnit.MICROS));
    written.apply(changed);
    if (changed.state().isTerminal()) {
      written.giveSnapshotsUp();
    }
    return written.finish();
  }

  private List<StreamEvent> write(Commit commit) {
    JobEntity job =
        jobs.findLocked(commit.job())
            .orElseThrow(() -> new IllegalStateException("there is no job " + commit.job()));
    List<String> documents = commit.events().stream().map(codec::write).toList();
    if (commit.firstSequence() != job.eventCount + 1) {
      return alreadyWritten(commit, documents)
          .orElseThrow(() ->
              new OtherWriterException(
                  "the next event of "
                      + job.id
                      + " has sequence "
                      + (job.eventCount + 1)
                      + " but is given "
                      + commit.firstSequence()
                      + ": another runner wrote"));
    }
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    insertEvents(commit, documents, now);
    job.eventCount += documents.size();
    insertPoints(commit);
    insertBlocks(commit);
    var written = new Written(job, now);
    for (SessionEvent event : commit.events()) {
      written.take(event);
    }
    for (SessionEffect effect : commit.effects()) {
      written.apply(effect);
    }
    return written.finish();
  }

  /// A connection that breaks during a commit leaves open whether it counted; the runner sends the
  /// commit again, and this finds out.
  private Optional<List<StreamEvent>> alreadyWritten(Commit commit, List<String> documents) {
    if (documents.isEmpty()) {
      return Optional.empty();
    }
    long last = commit.firstSequence() + documents.size() - 1;
    List<String> logged =
        sql.query(
            "select event::text from session_event where job_id = ? and sequence between ? and ?"
                + " order by sequence",
            (row, number) -> row.getString(1),
            commit.job(),
            commit.firstSequence(),
            last);
    if (!logged.equals(documents)) {
      return Optional.empty();
    }
    return Optional.of(
        sql.query(
            "select job_id, sequence, type, event_time, data::text from stream_event"
                + " where job_id = ? and log_sequence = ? order by sequence",
            StreamRows.mapper(codec),
            commit.job(),
            last));
  }

  private void insertEvents(Commit commit, List<String> documents, Instant now) {
    if (documents.isEmpty()) {
      return;
    }
    Object[] texts = documents.toArray();
    sql.update(
        "insert into session_event (job_id, sequence, event, log_time)"
            + " select ?, ? + place - 1, document::json, ?"
            + " from unnest(?) with ordinality as given (document, place)",
        statement -> {
          statement.setString(1, commit.job());
          statement.setLong(2, commit.firstSequence());
          statement.setTimestamp(3, Timestamp.from(now));
          statement.setArray(4, statement.getConnection().createArrayOf("text", texts));
        });
  }

  private void insertPoints(Commit commit) {
    List<MetricPoint> points = commit.points();
    if (points.isEmpty()) {
      return;
    }
    Integer[] branches = points.stream().map(MetricPoint::branch).toArray(Integer[]::new);
    Long[] clocks = points.stream().map(MetricPoint::clock).toArray(Long[]::new);
    Double[] seconds = points.stream().map(MetricPoint::seconds).toArray(Double[]::new);
    Double[] losses = points.stream().map(MetricPoint::loss).toArray(Double[]::new);
    sql.update(
        LossBlocks.INSERT_RUNS,
        statement -> {
          var connection = statement.getConnection();
          statement.setString(1, commit.job());
          statement.setArray(2, connection.createArrayOf("int4", branches));
          statement.setArray(3, connection.createArrayOf("int8", clocks));
          statement.setArray(4, connection.createArrayOf("float8", seconds));
          statement.setArray(5, connection.createArrayOf("float8", losses));
        });
  }

  /// Sums blocks of clocks up that are over now.
  private void insertBlocks(Commit commit) {
    var over = new ArrayList<MetricPoint>();
    for (MetricPoint point : commit.points()) {
      if (point.clock() % LossBlocks.CLOCKS == LossBlocks.CLOCKS - 1) {
        over.add(point);
      }
    }
    if (over.isEmpty()) {
      return;
    }
    Integer[] branches = over.stream().map(MetricPoint::branch).toArray(Integer[]::new);
    Long[] blocks =
        over.stream().map(point -> point.clock() / LossBlocks.CLOCKS).toArray(Long[]::new);
    sql.update(
        LossBlocks.INSERT_BLOCKS,
        statement -> {
          var connection = statement.getConnection();
          statement.setString(1, commit.job());
          statement.setArray(2, connection.createArrayOf("int4", branches));
          statement.setArray(3, connection.createArrayOf("int8", blocks));
          statement.setString(4, commit.job());
        });
  }

  /// What one commit changes, and what the stream says of it.
  private final class Written {
    private final JobEntity job;
    private final Instant now;
    private final List<StreamEvent> stream = new ArrayList<>();
    private final Map<RowKey, BranchEntity> branches = new HashMap<>();
    private final long streamCountBefore;
    private boolean jobMoved;
    private boolean lossMoved;
    private boolean jobChanged;
    private boolean hasNewState;
    private boolean killed;

    Written(JobEntity job, Instant now) {
      this.job = job;
      this.now = now;
      this.streamCountBefore = job.streamCount;
    }

    void take(SessionEvent event) {
      boolean mainlineMoved = job.take(event, codec);
      jobMoved |= mainlineMoved;
      lossMoved |= mainlineMoved;
      if (event instanceof SessionEvent.Requested) {
        // Whoever asks next must have seen it, even if nothing follows from it yet.
        hasNewState = true;
        jobMoved = true;
      }
      if (event instanceof SessionEvent.Progressed progress && !progress.losses().isEmpty()) {
        stream.add(
            new StreamEvent(
                job.id, 0, "metric.window", now, codec.tree(JobEntity.window(progress))));
      }
    }

    void apply(SessionEffect effect) {
      switch (effect) {
        case SessionEffect.JobChanged change -> {
          job.change(change, now);
          jobChanged = true;
          hasNewState = true;
        }
        case SessionEffect.BranchChanged change -> branch(change);
        case SessionEffect.RoundChanged change -> round(change);
        case SessionEffect.ScheduleChanged change -> schedule(change);
        case SessionEffect.MainlineEvaluated change -> {
          job.change(change, codec);
          jobMoved = true;
          evaluation(change, true);
        }
        case SessionEffect.RunEvaluated change -> evaluation(change, false);
        case SessionEffect.SnapshotChanged change -> snapshot(change);
        case SessionEffect.ResultChanged change -> result(change);
        case SessionEffect.TimeSpent change -> {
          job.change(change);
          jobMoved = true;
        }
        case SessionEffect.Decide decide -> decision(decide.decision());
        case SessionEffect.LaunchWorkers launch -> {
          job.generation = launch.generation();
          jobMoved = true;
        }
        case SessionEffect.KillWorkers _ -> killed = true;
        case SessionEffect.Command _, SessionEffect.Hold _, SessionEffect.Ignored _ -> {
          // Acts on the world, not on what is known of the job.
        }
      }
    }

    List<StreamEvent> finish() {
      if (jobChanged && job.state.isTerminal()) {
        endBranches();
      }
      if (hasNewState) {
        job.version++;
      }
      if (lossMoved) {
        job.loss = meanOfLastLosses();
      }
      if (jobChanged) {
        keep("job.changed", job.view(codec, null));
      } else if (jobMoved) {
        stream.add(
            new StreamEvent(job.id, 0, "job.changed", now, codec.tree(job.view(codec, null))));
      }
      insertStream();
      forgetOldOnes();
      entities.flush();
      return List.copyOf(stream);
    }

    private void branch(SessionEffect.BranchChanged change) {
      int mainline = job.mainlineBranch;
      job.change(change, codec);
      boolean hasMoved = mainline != job.mainlineBranch;
      lossMoved |= hasMoved;
      BranchEntity row = find(change.branch()).orElse(null);
      if (row == null) {
        row = new BranchEntity(job.id, change, codec);
        entities.persist(row);
        hasNewState = true;
      } else {
        hasNewState |= row.state != change.state() || row.kind != change.kind();
        row.change(change, codec);
      }
      branches.put(new RowKey(job.id, row.number), row);
      if (hasMoved) {
        job.metrics = lastMetrics();
      }
      jobMoved = true;
      keep("branch.changed", row.view(codec));
    }

    /// {@return what was measured last on the way to where the mainline stands, whatever branches
    /// it ran on, and nothing of a stretch that it left; empty where nothing was}
    private String lastMetrics() {
      long until = job.mainlineClock;
      Optional<BranchEntity> branch = find(new BranchId(job.mainlineBranch));
      while (branch.isPresent()) {
        BranchEntity row = branch.get();
        List<@Nullable String> last =
            sql.queryForList(
                "select metrics from evaluation where job_id = ? and branch = ? and leads"
                    + " and mainline_clock <= ? order by sequence desc limit 1",
                String.class,
                job.id,
                row.number,
                until);
        if (!last.isEmpty()) {
          return requireNonNull(last.getFirst());
        }
        until = row.forkClock;
        branch =
            until > 0 && row.parent != null ? find(new BranchId(row.parent)) : Optional.empty();
      }
      return codec.writeNumbers(Map.of());
    }

    /// {@return the mean loss of the mainline's last clocks, whatever branches they ran on and
    /// however they were parcelled; null before the first one}
    private @Nullable Double meanOfLastLosses() {
      List<Double> last = new ArrayList<>();
      long until = job.mainlineClock;
      Optional<BranchEntity> branch = find(new BranchId(job.mainlineBranch));
      while (branch.isPresent() && last.size() < JobView.LOSS_CLOCKS) {
        BranchEntity row = branch.get();
        last.addAll(
            sql.queryForList(
                LossBlocks.LAST_LOSSES,
                Double.class,
                job.id,
                row.number,
                until - row.forkClock,
                JobView.LOSS_CLOCKS - last.size(),
                until - row.forkClock,
                JobView.LOSS_CLOCKS - last.size()));
        until = row.forkClock;
        branch =
            until > 0 && row.parent != null ? find(new BranchId(row.parent)) : Optional.empty();
      }
      OptionalDouble mean = last.stream().mapToDouble(Double::doubleValue).average();
      return mean.isPresent() ? mean.getAsDouble() : null;
    }

    private void endBranches() {
      boolean lost = killed || job.state == JobState.FAILED;
      for (BranchEntity row : branchRows.alive(job.id)) {
        row.end(lost);
        keep("branch.changed", row.view(codec));
      }
    }

    private void round(SessionEffect.RoundChanged change) {
      job.round = Math.max(job.round, change.number());
      RoundEntity row = entities.find(RoundEntity.class, new RowKey(job.id, change.number()));
      if (row == null) {
        row = new RoundEntity(job.id, change);
        entities.persist(row);
        hasNewState = true;
      } else {
        hasNewState |= !row.phase.equals(change.phase()) || !row.outcome.equals(change.outcome());
        row.change(change);
      }
      jobMoved = true;
      keep("round.changed", row.view());
    }

    private void schedule(SessionEffect.ScheduleChanged change) {
      jobMoved = true;
      // Branches that lead to it are read from their table.
      entities.flush();
      List<ScheduleView.Step> before = StoredSchedule.read(sql, codec, job.id).steps();
      List<ScheduleView.Step> steps =
          new StoredSchedule.Course(
                  before, StoredSchedule.ancestors(sql, codec, job.id, change), job::clocksPerEpoch)
              .leadingTo(
                  new ScheduleView.Step(
                      change.mainlineClock(),
                      change.epoch(),
                      change.branch().number(),
                      change.setting().values()));
      int same = 0;
      while (same < Math.min(before.size(), steps.size())
          && before.get(same).equals(steps.get(same))) {
        same++;
      }
      if (same < before.size()) {
        sql.update(
            "delete from schedule_step where job_id = ? and from_clock >= ?",
            job.id,
            before.get(same).fromClock());
      }
      for (ScheduleView.Step step : steps.subList(same, steps.size())) {
        sql.update(
            "insert into schedule_step (job_id, from_clock, from_epoch, branch, setting)"
                + " values (?, ?, ?, ?, ?::json)",
            job.id,
            step.fromClock(),
            step.fromEpoch(),
            step.branch(),
            codec.writeNumbers(step.setting()));
      }
      job.change(change, steps, codec);
      // Each takes the place of all that began later.
      for (ScheduleView.Step step : steps.subList(Math.min(same, steps.size() - 1), steps.size())) {
        keep("schedule.changed", step);
      }
    }

    private void evaluation(SessionEffect.Validated change, boolean leads) {
      var view =
          new EvaluationView(
              startOf(change.branch()),
              change.branch().number(),
              leads,
              change.mainlineClock(),
              change.epoch(),
              change.atSeconds(),
              new TreeMap<String, @Nullable Double>(change.metrics()));
      sql.update(
          "insert into evaluation (job_id, sequence, start_number, branch, leads, mainline_clock,"
              + " epoch, at_seconds, metrics)"
              + " select ?, coalesce(max(sequence), 0) + 1, ?, ?, ?, ?, ?, ?, ?::json"
              + " from evaluation where job_id = ?",
          job.id,
          view.start(),
          view.branch(),
          view.leads(),
          view.mainlineClock(),
          view.epoch(),
          view.atSeconds(),
          codec.writeNumbers(change.metrics()),
          job.id);
      keep("evaluation.made", view);
    }

    private void result(SessionEffect.ResultChanged change) {
      var place = ResultPlace.of(change);
      job.result = place;
      jobMoved = true;
      ResultEntity row = entities.find(ResultEntity.class, job.id);
      if (row == null) {
        row = new ResultEntity(job.id);
        entities.persist(row);
      }
      List<ScheduleView.ResultStep> before = StoredSchedule.steps(row, codec);
      row.path = codec.writePath(change.path());
      keep(
          "result.changed",
          ScheduleView.ResultChange.between(
              before, StoredSchedule.result(place, StoredSchedule.steps(row, codec))));
    }

    private void snapshot(SessionEffect.SnapshotChanged change) {
      hasNewState = true;
      sql.update(
          "insert into snapshot (job_id, number, branch, start_number, mainline_clock, epoch,"
              + " setting, state, size_bytes, pinned, create_time)"
              + " values (?, ?, ?, ?, ?, ?, ?::json, ?, ?, ?, ?)"
              + " on conflict (job_id, number) do update set state = excluded.state,"
              + " size_bytes = excluded.size_bytes, pinned = excluded.pinned",
          job.id,
          change.snapshot(),
          change.branch().number(),
          startOf(change.branch()),
          change.mainlineClock(),
          change.epoch(),
          codec.writeNumbers(change.setting().values()),
          change.state().name(),
          change.sizeBytes(),
          change.pinned(),
          Timestamp.from(now));
      tellOfSnapshot(change.snapshot());
    }

    /// Nobody is left who would write them.
    void giveSnapshotsUp() {
      List<Long> given =
          sql.query(
              "update snapshot set state = ? where job_id = ? and state = ? returning number",
              (row, number) -> row.getLong(1),
              SnapshotState.FAILED.name(),
              job.id,
              SnapshotState.WRITING.name());
      given.forEach(this::tellOfSnapshot);
    }

    private void tellOfSnapshot(long number) {
      StoredSnapshots.read(sql, codec, job.id, number)
          .ifPresent(view -> keep("snapshot.changed", view));
    }

    private int startOf(BranchId branch) {
      return find(branch).map(row -> row.start).orElse(job.start);
    }

    private Optional<BranchEntity> find(BranchId branch) {
      var key = new RowKey(job.id, branch.number());
      return Optional.ofNullable(branches.get(key))
          .or(() -> Optional.ofNullable(entities.find(BranchEntity.class, key)));
    }

    private void decision(Decision decision) {
      String evidence = codec.writeEvidence(decision.evidence());
      long sequence = job.decisionCount + 1;
      int inserted =
          sql.update(
              "insert into decision (job_id, sequence, key, rule, outcome, actor, round, evidence,"
                  + " decide_time) values (?, ?, ?, ?, ?, ?, ?, ?::json, ?)"
                  + " on conflict (job_id, key) do nothing",
              job.id,
              sequence,
              decision.key(),
              decision.rule(),
              decision.outcome(),
              decision.actor(),
              decision.round(),
              evidence,
              Timestamp.from(now));
      if (inserted == 0) {
        return;
      }
      job.decisionCount = sequence;
      keep(
          "decision.made",
          new DecisionView(
              sequence,
              decision.key(),
              decision.rule(),
              decision.outcome(),
              decision.actor(),
              decision.round(),
              codec.readTree(evidence),
              now));
    }

    private void keep(String type, Object view) {
      job.streamCount++;
      stream.add(new StreamEvent(job.id, job.streamCount, type, now, codec.tree(view)));
    }

    /// Now and then, and twice as many as have come since, so that a long backlog goes too.
    private void forgetOldOnes() {
      if (job.streamCount / STREAM_PRUNED_EVERY == streamCountBefore / STREAM_PRUNED_EVERY) {
        return;
      }
      sql.update(
          "delete from stream_event where ctid = any (array(select ctid from stream_event"
              + " where job_id = ? and sequence <= ? order by sequence limit ?))",
          job.id,
          job.streamCount - STREAM_KEPT,
          2 * Math.max(STREAM_PRUNED_EVERY, job.streamCount - streamCountBefore));
    }

    private void insertStream() {
      List<StreamEvent> kept = stream.stream().filter(event -> event.sequence() > 0).toList();
      if (kept.isEmpty()) {
        return;
      }
      Long[] sequences = kept.stream().map(StreamEvent::sequence).toArray(Long[]::new);
      Object[] types = kept.stream().map(StreamEvent::type).toArray();
      Object[] data = kept.stream().map(event -> codec.writeTree(event.data())).toArray();
      sql.update(
          "insert into stream_event (job_id, event_time, log_sequence, sequence, type, data)"
              + " select ?, ?, ?, sequence, type, data::json"
              + " from unnest(?, ?, ?) as given (sequence, type, data)",
          statement -> {
            var connection = statement.getConnection();
            statement.setString(1, job.id);
            statement.setTimestamp(2, Timestamp.from(now));
            statement.setLong(3, job.eventCount);
            statement.setArray(4, connection.createArrayOf("int8", sequences));
            statement.setArray(5, connection.createArrayOf("text", types));
            statement.setArray(6, connection.createArrayOf("text", data));
          });
    }
  }
}
