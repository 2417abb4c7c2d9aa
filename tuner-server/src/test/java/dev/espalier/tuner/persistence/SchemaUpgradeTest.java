package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.boot.TestServer;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

class SchemaUpgradeTest {
  private static final String BEFORE = "009";

  private final JdbcTemplate main = TestServer.get().bean(JdbcTemplate.class);
  private JdbcTemplate sql = main;

  @BeforeEach
  void makeDatabase() {
    main.execute("create database upgrade");
    var details = TestServer.get().bean(JdbcConnectionDetails.class);
    sql =
        new JdbcTemplate(
            new DriverManagerDataSource(
                details.getJdbcUrl().replaceFirst("/[^/]*$", "/upgrade"),
                details.getUsername(),
                details.getPassword()));
  }

  @AfterEach
  void dropDatabase() {
    main.execute("drop database upgrade with (force)");
  }

  private FluentConfiguration flyway() {
    return Flyway.configure()
        .dataSource(sql.getDataSource())
        .locations("classpath:dev/espalier/db/migration");
  }

  private void upgrade(boolean leavesJobs) {
    new SchemaUpgrade(flyway().load()).run(_ -> 9, leavesJobs);
  }

  private String schemaVersion() {
    return String.valueOf(
        sql.queryForObject("select max(version) from flyway_schema_history", String.class));
  }

  private void insertJob(String id, String state, int policyVersion) {
    sql.update(
        "insert into job (job_id, name, program, policy, searcher, worker_count, seed, spec,"
            + " created_by, create_time, state, reason, message, waiting_for, state_time, setting,"
            + " policy_version) values (?, 'a', 'mlp', 'racing', '', 1, 1, '{}', 'a', now(), ?, '',"
            + " '', '', now(), '{}', ?)",
        id,
        state,
        policyVersion);
  }

  @Test
  void jobsThatWouldBeDecidedOtherwiseStopItBeforeAnyTableIsChanged() {
    flyway().target(BEFORE).load().migrate();
    insertJob("job_ended", "COMPLETED", 7);
    insertJob("job_waiting", "QUEUED", 7);
    insertJob("job_same", "TRAINING", 9);
    insertJob("job_old", "TUNING", 7);

    assertThatThrownBy(() -> upgrade(false))
        .isInstanceOfSatisfying(
            EspalierException.class,
            failure -> assertThat(failure.code()).isEqualTo(ErrorCode.WRONG_STATE))
        .hasMessageContaining("job_old (policy racing, version 7; here 9)")
        .message()
        .doesNotContain("job_ended", "job_waiting", "job_same");
    assertThat(schemaVersion()).isEqualTo(BEFORE);

    upgrade(true);
    assertThat(schemaVersion()).isGreaterThan(BEFORE);
  }

  @Test
  void tablesOfSomethingElseAreLeftAlone() {
    sql.execute("create table of_something_else (id int)");

    assertThatThrownBy(() -> upgrade(false))
        .isInstanceOfSatisfying(
            EspalierException.class,
            failure -> assertThat(failure.code()).isEqualTo(ErrorCode.WRONG_STATE))
        .hasMessageContaining("has tables of something else")
        .hasMessageContaining("?currentSchema=NAME");
    assertThat(sql.queryForObject("select to_regclass('job') is null", Boolean.class)).isTrue();
  }

  @Test
  void tablesOfANewerServerAreLeftAlone() {
    upgrade(false);
    sql.update(
        "insert into flyway_schema_history (installed_rank, version, description, type, script,"
            + " checksum, installed_by, execution_time, success)"
            + " values (999, '999', 'a', 'SQL', 'V999__a.sql', 1, 'a', 1, true)");

    assertThatThrownBy(() -> upgrade(false))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining("used by a newer Espalier: its tables are of version 999");
  }

  @Test
  void anEmptyDatabaseGetsItsTables() {
    upgrade(false);
    upgrade(false);

    assertThat(sql.queryForObject("select count(*) from job", Long.class)).isZero();
  }

  /// Nothing but what led was kept; two results of one moment cannot be told apart.
  @Test
  void evaluationsLearnTheirBranchFromTheLog() {
    flyway().target("17").load().migrate();
    insertJob("job_1", "COMPLETED", 7);
    insertEvent(
        1, "{\"type\":\"evaluated\",\"atSeconds\":0.1,\"branch\":3,\"metrics\":{\"loss\":1}}");
    insertEvent(2, "{\"type\":\"evaluated\",\"atSeconds\":0.2,\"branch\":4,\"metrics\":{}}");
    insertEvent(
        3, "{\"type\":\"evaluated\",\"atSeconds\":0.2,\"branch\":5,\"metrics\":{\"loss\":1}}");
    insertEvent(
        4, "{\"type\":\"evaluated\",\"atSeconds\":0.3,\"branch\":5,\"metrics\":{\"loss\":1}}");
    insertEvent(
        5, "{\"type\":\"evaluated\",\"atSeconds\":0.3,\"branch\":6,\"metrics\":{\"loss\":1}}");
    sql.update(
        "insert into evaluation (job_id, sequence, mainline_clock, epoch, at_seconds, metrics)"
            + " select 'job_1', n, n, n, n / 10.0, '{}' from generate_series(1, 4) as n");

    upgrade(false);

    assertThat(sql.queryForList("select branch from evaluation order by sequence", Integer.class))
        .containsExactly(3, 5, null, null);
    assertThat(sql.queryForObject("select bool_and(leads) from evaluation", Boolean.class))
        .isTrue();
  }

  private void insertEvent(long sequence, String event) {
    sql.update(
        "insert into session_event (job_id, sequence, event, log_time)"
            + " values ('job_1', ?, ?::json, now())",
        sequence,
        event);
  }

  private void insertBranch(String job, int number, String kind, String state) {
    sql.update(
        "insert into branch (job_id, number, kind, round, setting, state, fork_clock, clock_count,"
            + " run_seconds, window_means, window_seconds) values (?, ?, ?, 0, '{}', ?, 0, 0, 0,"
            + " '{}', '{}')",
        job,
        number,
        kind,
        state);
  }

  private String stateOf(String job, int number) {
    return String.valueOf(
        sql.queryForObject(
            "select state from branch where job_id = ? and number = ?", String.class, job, number));
  }

  @Test
  void noBranchOfAJobThatHasEndedLivesOn() {
    flyway().target("012").load().migrate();
    insertJob("job_done", "COMPLETED", 9);
    insertJob("job_killed", "CANCELED", 9);
    sql.update("update job set reason = 'killed' where job_id = 'job_killed'");
    insertJob("job_failed", "FAILED", 9);
    insertJob("job_goes_on", "TRAINING", 9);
    for (String job : List.of("job_done", "job_killed", "job_failed", "job_goes_on")) {
      insertBranch(job, 1, "MAINLINE", "RUNNING");
      insertBranch(job, 2, "TRIAL", "MEASURED");
      insertBranch(job, 3, "TRIAL", "FAILED");
    }

    upgrade(false);

    assertThat(List.of(stateOf("job_done", 1), stateOf("job_done", 2), stateOf("job_done", 3)))
        .containsExactly("KEPT", "DISCARDED", "FAILED");
    assertThat(List.of(stateOf("job_killed", 1), stateOf("job_killed", 2)))
        .containsExactly("LOST", "LOST");
    assertThat(List.of(stateOf("job_failed", 1), stateOf("job_failed", 2)))
        .containsExactly("LOST", "LOST");
    assertThat(List.of(stateOf("job_goes_on", 1), stateOf("job_goes_on", 2)))
        .containsExactly("RUNNING", "MEASURED");
  }

  @Test
  void lossesOfSingleClocksBecomeRunsOfBlocks() {
    flyway().target("016").load().migrate();
    insertJob("job_a", "TRAINING", 9);
    sql.update(
        "insert into metric_point (job_id, branch, clock, run_seconds, loss)"
            + " select 'job_a', branch, clock, clock / 2.0, case clock when 70 then 'NaN'::float8 else clock"
            + " end from generate_series(1, 2) as branch, generate_series(branch, 130) as clock"
            + " where clock <> 100");

    upgrade(false);

    assertThat(
            sql.queryForList(
                "select first_clock || ' ' || cardinality(losses) || ' ' || losses[7] || ' '"
                    + " || run_seconds[7] from loss_run where branch = 2 order by first_clock",
                String.class))
        .containsExactly("2 62 8 4", "64 36 NaN 35", "101 27 107 53.5", null);
    assertThat(sql.queryForObject("select sum(cardinality(losses)) from loss_run", Long.class))
        .isEqualTo(129 + 128);
  }

  @Test
  void whatBelongsToAnExtensionIsNobodysData() {
    sql.execute("create view of_extension as select 1 as one");
    sql.execute(
        "insert into pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid,"
            + " deptype) select 'pg_class'::regclass, 'of_extension'::regclass, 0,"
            + " 'pg_extension'::regclass, oid, 0, 'e' from pg_extension limit 1");

    upgrade(false);

    assertThat(schemaVersion()).isNotEqualTo("null");
  }
}
