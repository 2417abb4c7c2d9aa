package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.rest.BranchView;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobQueries.Tried;
import dev.espalier.tuner.boot.TestServer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import tools.jackson.databind.JsonNode;

class ManyBranchesTest {
  private static final String INSERT =
      "insert into branch (job_id, number, parent_branch, kind, round, setting, state, fork_clock,"
          + " clock_count, run_seconds, verdict, window_means, window_seconds) ";

  private final TestServer server = TestServer.get();
  private final JdbcTemplate sql = server.bean(JdbcTemplate.class);
  private final JobQueries queries = server.bean(JobQueries.class);

  /// Every tenth branch leads to the next, up to 3,000, which is the mainline.
  @Test
  void ofManyBranchesTheNewestTheMainlineAndTheLiveOnesAreShown() {
    String job = server.newJob();
    sql.update(
        INSERT
            + "select ?, n, case when n > 0 then (n - 1) / 10 * 10 end, 'TRIAL', n / 10, '{}',"
            + " case when n in (7, 1234) then 'RUNNING' else 'DISCARDED' end, n, 1, 1, null,"
            + " '{}', '{}' from generate_series(0, 4999) as n",
        job);
    sql.update("update job set mainline_branch = 3000, branch_count = 5000 where job_id = ?", job);

    List<Integer> shown = queries.mainBranches(job, 2000).stream().map(BranchView::branch).toList();
    assertThat(shown)
        .isSorted()
        .doesNotHaveDuplicates()
        .hasSizeLessThanOrEqualTo(2000)
        .contains(0, 10, 2990, 3000, 7, 1234, 4000, 4999)
        .doesNotContain(9, 3001, 3010, 3999);

    JsonNode views = server.get("/api/v1/jobs/" + job + "/overview").json().get("views");
    assertThat(views.get("branches")).hasSize(shown.size());
    assertThat(views.get("branchesLeftOut").asInt()).isEqualTo(5000 - shown.size());
    JsonNode tree = server.get("/api/v1/jobs/" + job + "/tree").json();
    assertThat(tree.get("branches")).hasSize(shown.size());
    assertThat(tree.get("leftOut").get("0").asInt()).isEqualTo(10 - 2);
    assertThat(tree.get("leftOut").get("2990").asInt()).isEqualTo(10 - 1);
    assertThat(tree.get("leftOut").has("4500")).isFalse();
  }

  @Test
  void allOfFewBranchesAreShown() {
    String job = server.newJob();
    sql.update(
        INSERT
            + "select ?, n, 0, 'TRIAL', 1, '{}', 'DISCARDED', n, 1, 1, null, '{}', '{}'"
            + " from generate_series(1, 3) as n",
        job);

    assertThat(queries.mainBranches(job, 2000)).hasSize(3);
    assertThat(server.get("/api/v1/jobs/" + job + "/tree").json().get("leftOut")).isEmpty();
  }

  /// Two workers and 6,400 samples. Batch 32 by default: 100 clocks an epoch at 20 ms, 2 s; batch
  /// 128: 25 clocks at 40 ms, 1 s. The third setting diverged after 1 s.
  @Test
  void settingsAreSummedUpOverTheirBranches() {
    String job = server.newJob();
    sql.update(
        "update job set worker_count = 2, training_sample_count = 6400, default_batch_size = 32"
            + " where job_id = ?",
        job);
    branch(job, 1, "{\"learningRate\":0.1}", "TRIAL", "KEPT", "CONVERGING", 50, 1);
    branch(job, 2, "{\"learningRate\":0.1}", "MAINLINE", "KEPT", null, 150, 3);
    branch(job, 3, "{\"batchSize\":128}", "TRIAL", "DISCARDED", "UNSTABLE", 10, 0.4);
    branch(job, 4, "{\"learningRate\":0.9}", "TRIAL", "DISCARDED", "DIVERGED", 50, 1);
    branch(job, 5, "{\"learningRate\":0.8}", "TRIAL", "DISCARDED", null, 0, 0);
    branch(job, 6, "{\"learningRate\":0.7}", "EVALUATION", "DISCARDED", null, 9, 9);

    Tried tried = queries.tried(job);

    assertThat(tried.settings()).isEqualTo(3);
    assertThat(tried.diverged()).isOne();
    assertThat(tried.epochSeconds()).isCloseTo(2 + 1, within(1e-9));
    assertThat(tried.divergedEpochSeconds()).isCloseTo(2, within(1e-9));
    assertThat(tried.divergedSeconds()).isEqualTo(1);
    assertThat(tried.epochs()).isEqualTo(2 + 1 + 1);
    assertThat(queries.tried(server.newJob())).isEqualTo(new Tried(0, 0, 0, 0, 0, 0));
  }

  /// Batch 32: 100 clocks an epoch. 990 clocks took 9.9 s, and the first ten, of cold workers, 10
  /// s: 19.9 ms each, not a second for the setting that was left after them.
  @Test
  void aFewSlowClocksOfASettingAreNotItsSpeed() {
    String job = server.newJob();
    sql.update(
        "update job set worker_count = 2, training_sample_count = 6400, default_batch_size = 32"
            + " where job_id = ?",
        job);
    branch(job, 1, "{\"learningRate\":0.1}", "MAINLINE", "KEPT", null, 10, 10);
    branch(job, 2, "{\"learningRate\":0.2}", "MAINLINE", "KEPT", null, 990, 9.9);

    assertThat(queries.tried(job).epochSeconds()).isCloseTo(2 * 1.99, within(1e-9));
  }

  private void branch(
      String job,
      int number,
      String setting,
      String kind,
      String state,
      String verdict,
      int clocks,
      double seconds) {
    sql.update(
        INSERT + "values (?, ?, 0, ?, 1, ?::json, ?, 0, ?, ?, ?, '{}', '{}')",
        job,
        number,
        kind,
        setting,
        state,
        clocks,
        seconds,
        verdict);
  }
}
