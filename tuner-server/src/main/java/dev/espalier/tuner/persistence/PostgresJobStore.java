package dev.espalier.tuner.persistence;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.core.session.SessionEffect;
import jakarta.persistence.EntityManager;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.data.domain.Limit;
import org.springframework.jdbc.core.JdbcTemplate;

/// Jobs for their runners.
final class PostgresJobStore implements JobStore {
  private static final List<JobState> TERMINAL =
      Arrays.stream(JobState.values()).filter(JobState::isTerminal).toList();

  /// The tables that may have many rows of a job; the others follow its row.
  private static final List<String> PARTS =
      List.of(
          "loss_run",
          "loss_block",
          "stream_event",
          "session_event",
          "decision",
          "branch",
          "evaluation",
          "schedule_step",
          "snapshot",
          "round");

  private static final int ROWS_AT_A_TIME = 10_000;
  private static final Duration REQUESTS_KEPT = Duration.ofDays(1);

  private final Transactions transactions;
  private final EntityManager entities;
  private final JobRepository jobs;
  private final PostgresEventLog log;
  private final ResultRepository results;
  private final JdbcTemplate sql;
  private final DocumentCodec codec;
  private final InstantSource clock;

  PostgresJobStore(
      Transactions transactions,
      EntityManager entities,
      JobRepository jobs,
      PostgresEventLog log,
      ResultRepository results,
      JdbcTemplate sql,
      DocumentCodec codec,
      InstantSource clock) {
    this.transactions = transactions;
    this.entities = entities;
    this.jobs = jobs;
    this.log = log;
    this.results = results;
    this.sql = sql;
    this.codec = codec;
    this.clock = clock;
  }

  @Override
  public void create(StoredJob job, String actor, Optional<String> request) {
    transactions.write(() -> {
      var row =
          new JobEntity(
              job.id(),
              job.spec(),
              job.policyVersion(),
              job.dataFingerprint(),
              actor,
              clock.instant().truncatedTo(ChronoUnit.MICROS),
              codec);
      row.requestKey = request.orElse(null);
      entities.persist(row);
    });
  }

  @Override
  public Optional<String> madeBy(String request) {
    Timestamp since = Timestamp.from(clock.instant().minus(REQUESTS_KEPT));
    return transactions.read(() ->
        sql
            .queryForList(
                "select job_id from job where request_key = ? and create_time >= ?"
                    + " and delete_time is null"
                    + " order by create_time desc limit 1",
                String.class,
                request,
                since)
            .stream()
            .findFirst());
  }

  @Override
  public Optional<StoredJob> find(String id) {
    return transactions.read(() -> jobs.findById(id).map(this::stored));
  }

  @Override
  public Optional<Standing> standing(String id) {
    return transactions.read(
        () -> jobs.findById(id).map(row -> new Standing(row.state, row.reason, row.version)));
  }

  @Override
  public List<StoredJob> unfinished() {
    return transactions.read(
        () -> jobs.findByStateNotInOrderByPosition(TERMINAL).stream().map(this::stored).toList());
  }

  @Override
  public List<StreamEvent> fail(String job, String reason, String message) {
    return log.changeBeside(
        job, _ -> Optional.of(new SessionEffect.JobChanged(JobState.FAILED, reason, message, "")));
  }

  @Override
  public List<StreamEvent> explain(String job, String message) {
    return log.changeBeside(
        job,
        row ->
            row.message.equals(message)
                ? Optional.empty()
                : Optional.of(
                    new SessionEffect.JobChanged(row.state, NOT_RESUMED, message, "server")));
  }

  @Override
  public void hide(String job) {
    transactions.write(() -> putDeleteTime(job));
  }

  /// What is written of a job may be gigabytes: no statement may take so long that its connection
  /// counts as broken, so the job is hidden first and then taken apart.
  @Override
  public void delete(String job) {
    hide(job);
    for (String table : PARTS) {
      while (deleteSome(table, job) == ROWS_AT_A_TIME) {
        // Until nothing is left.
      }
    }
    transactions.write(() -> sql.update("delete from job where job_id = ?", job));
  }

  private int deleteSome(String table, String job) {
    return transactions.write(() ->
        sql.update(
            "delete from %1$s where ctid = any (array(select ctid from %1$s where job_id = ? limit ?))"
                .formatted(table),
            job,
            ROWS_AT_A_TIME));
  }

  private void putDeleteTime(String job) {
    JobState state =
        sql
            .query(
                "select state from job where job_id = ? for update",
                (row, number) -> JobState.valueOf(row.getString(1)),
                job)
            .stream()
            .findFirst()
            .orElseThrow(
                () -> new EspalierException(ErrorCode.NOT_FOUND, "there is no job " + job));
    if (!state.isTerminal()) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "job "
              + job
              + " is "
              + state
              + "; only a job that has ended can be deleted: cancel or kill it first");
    }
    sql.update(
        "update job set delete_time = coalesce(delete_time, ?) where job_id = ?",
        Timestamp.from(clock.instant()),
        job);
  }

  @Override
  public List<String> halfDeleted() {
    return transactions.read(() ->
        sql.queryForList("select job_id from job where delete_time is not null", String.class));
  }

  @Override
  public void putPolicyVersion(String job, int version) {
    transactions.write(
        () -> sql.update("update job set policy_version = ? where job_id = ?", version, job));
  }

  @Override
  public List<FinishedJob> finished(String program, int most) {
    return transactions.read(() -> {
      List<ResultRepository.Finished> rows = results.finished(program, Limit.of(most));
      Map<String, Evaluations> evaluations =
          evaluations(rows.stream().map(row -> row.job().id).toArray(String[]::new));
      return rows.stream()
          .map(row ->
              finished(row, evaluations.getOrDefault(row.job().id, new Evaluations(0, Map.of()))))
          .toList();
    });
  }

  private FinishedJob finished(ResultRepository.Finished row, Evaluations evaluations) {
    ResultPlace result = requireNonNull(row.job().result);
    return new FinishedJob(
        stored(row.job()),
        evaluations.count(),
        evaluations.first(),
        result.value(),
        result.clock(),
        result.epoch(),
        codec.readPath(row.result().path));
  }

  private record Evaluations(long count, Map<String, Double> first) {}

  /// {@return the evaluations of those of the jobs that had any; of a population those that led}
  private Map<String, Evaluations> evaluations(String[] ofJobs) {
    var evaluations = new HashMap<String, Evaluations>();
    sql.query(
        "select distinct on (job_id) job_id, metrics::text, count(*) over (partition by job_id)"
            + " from evaluation where leads and job_id = any (?) order by job_id, sequence",
        statement -> statement.setArray(1, statement.getConnection().createArrayOf("text", ofJobs)),
        row -> {
          evaluations.put(
              row.getString(1),
              new Evaluations(row.getLong(3), codec.readNumbers(row.getString(2))));
        });
    return evaluations;
  }

  @Override
  public void putWorkerSecret(String job, int generation, byte[] sha256) {
    transactions.write(() ->
        sql.update(
            "insert into worker_secret (job_id, generation, secret_sha256) values (?, ?, ?)"
                + " on conflict (job_id, generation) do update"
                + " set secret_sha256 = excluded.secret_sha256",
            job,
            generation,
            sha256));
  }

  @Override
  public Optional<byte[]> workerSecret(String job, int generation) {
    return transactions.read(() ->
        sql
            .query(
                "select secret_sha256 from worker_secret where job_id = ? and generation = ?",
                (row, number) -> row.getBytes(1),
                job,
                generation)
            .stream()
            .findFirst());
  }

  @Override
  public Optional<byte[]> workerSecret(String job) {
    return transactions.read(() ->
        sql
            .query(
                "select secret_sha256 from worker_secret where job_id = ?"
                    + " order by generation desc limit 1",
                (row, number) -> row.getBytes(1),
                job)
            .stream()
            .findFirst());
  }

  private StoredJob stored(JobEntity row) {
    return new StoredJob(row.id, codec.readSpec(row.spec), row.policyVersion, row.dataFingerprint);
  }
}
