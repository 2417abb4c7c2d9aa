package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.model.Verdict;
import dev.espalier.api.model.Version;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.api.rest.WorkerView;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Output;
import dev.espalier.cli.screen.Terminal;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

final class EspalierTest {
  private static final Instant START = Instant.parse("2026-01-02T03:04:05Z");
  private static final String JOB = "job_0198f3c27d5e7c1f8a3b9d";

  @TempDir Path folder;
  private TestingServer server;
  private String out = "";
  private String err = "";

  @BeforeEach
  void startServer() throws IOException {
    server = new TestingServer();
  }

  @AfterEach
  void stopServer() {
    server.close();
  }

  private int run(String... arguments) {
    return runWith("", arguments);
  }

  private int runWith(String input, String... arguments) {
    return runAs(TestingServer.TOKEN, input, arguments);
  }

  private int runAs(String token, String input, String... arguments) {
    return runOn(new ByteArrayOutputStream(), false, token, input, arguments);
  }

  /// @param isLive whether `reader` looks at it, as on a terminal without colours
  private int runOn(
      OutputStream reader, boolean isLive, String token, String input, String... arguments) {
    var errBytes = new ByteArrayOutputStream();
    var stream = new Output(reader, StandardCharsets.UTF_8);
    var terminal = new Terminal(stream, isLive, false, true, Terminal.plain(stream).size());
    InputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
    var invocation =
        new Invocation(
            Map.of(
                "ESPALIER_SERVER",
                server.address(),
                "ESPALIER_TOKEN",
                token,
                "ESPALIER_HOME",
                folder.toString(),
                "NO_COLOR",
                "1"),
            in,
            stream,
            new PrintStream(errBytes, true, StandardCharsets.UTF_8),
            noColour -> terminal);
    int code = Espalier.run(invocation, arguments);
    out = reader.toString();
    err = errBytes.toString(StandardCharsets.UTF_8);
    assertThat(out + err).doesNotContain("\u001b");
    assertThat(err).doesNotContain("\tat ");
    return code;
  }

  private static JobView job(JobState state, long version, @Nullable Double loss) {
    return job(state, version, loss, 1, 0);
  }

  private static JobView job(
      JobState state, long version, @Nullable Double loss, String id, String name) {
    return job(state, version, loss, 1, 0, id, name);
  }

  private static JobView job(
      JobState state, long version, @Nullable Double loss, int start, double earlierEpochs) {
    return job(state, version, loss, start, earlierEpochs, JOB, "demo");
  }

  private static JobView job(
      JobState state,
      long version,
      @Nullable Double loss,
      int start,
      double earlierEpochs,
      String id,
      String name) {
    return new JobView(
        id,
        name,
        "mlp",
        "racing",
        "tpe",
        2,
        JobSpec.Launch.LOCAL,
        42,
        state,
        "reason",
        "All is well.",
        "",
        null,
        START,
        START,
        state.isTerminal() ? START.plusSeconds(61) : null,
        Map.of("learningRate", 0.0123),
        3,
        120 * version,
        version,
        start,
        earlierEpochs,
        loss,
        Map.of("accuracy", 0.5 + version / 100.0),
        1,
        12,
        30,
        1,
        50,
        false,
        0.2857,
        7,
        1,
        version,
        version,
        "token:ci",
        null,
        new JobView.Result(1, 2, 100, 1, 0.9),
        JobView.Trail.EMPTY);
  }

  private static SnapshotView snapshot(long number, int start) {
    return new SnapshotView(
        number, 2, start, 100, 1, Map.of(), SnapshotState.READY, 10, false, START);
  }

  private static BranchView branch(int number, int parent, BranchState state, Verdict verdict) {
    return new BranchView(
        number,
        parent,
        BranchKind.TRIAL,
        1,
        Map.of("learningRate", 0.01 * number),
        state,
        1,
        50,
        100,
        1.5,
        verdict,
        0.25 * number,
        0.3,
        0.01,
        Arrays.asList(2.0, null),
        List.of(0.5, 1.0),
        -0.1 * number,
        "accuracy",
        number == 2
            ? null
            : new BranchView.Validation("accuracy", Goal.MAXIMIZE, 0.7 + 0.01 * number, 2.5));
  }

  private void serveJob(JobView view) {
    server.on("GET /jobs/" + JOB, 200, view);
    server.on("GET /jobs/" + JOB + "/config", 200, Map.of("stop", Map.of("maxTime", "10m")));
    server.on(
        "GET /jobs/" + JOB + "/branches",
        200,
        Map.of(
            "items",
            List.of(
                branch(2, 0, BranchState.DISCARDED, Verdict.DIVERGED),
                branch(3, 0, BranchState.KEPT, Verdict.CONVERGING))));
    server.on(
        "GET /jobs/" + JOB + "/rounds",
        200,
        Map.of(
            "items",
            List.of(
                new RoundView(
                    1, RoundTrigger.INITIAL, "ended", 0, 2, 24, 1.5, 3, "Kept branch #3."))));
    server.on(
        "GET /jobs/" + JOB + "/decisions",
        200,
        Map.of(
            "items",
            List.of(
                new DecisionView(
                    1,
                    "round-1/adopt",
                    "mltuner.fastest-trial",
                    "Branch #3 was fastest.",
                    "policy",
                    1,
                    Map.of("speed", 0.75),
                    START))));
    server.on(
        "GET /jobs/" + JOB + "/evaluations",
        200,
        Map.of(
            "items",
            List.of(
                new EvaluationView(1, 3, true, 100, 1.0, 20, Map.of("accuracy", 0.8)),
                new EvaluationView(1, 2, false, 50, 0.5, 30, Map.of("accuracy", 0.95)))));
    server.on(
        "GET /jobs/" + JOB + "/schedule",
        200,
        new ScheduleView(
            JOB, List.of(new ScheduleView.Step(0, 0, 3, Map.of("learningRate", 0.03))), null));
    server.on(
        "GET /jobs/" + JOB + "/snapshots",
        200,
        Map.of("items", List.of(snapshot(3, 2), snapshot(4, 1))));
  }

  @Test
  void listShowsJobsInColumns() {
    server.on("GET /jobs", 200, Map.of("items", List.of(job(JobState.TRAINING, 3, 0.25))));

    assertThat(run("job", "list")).isZero();

    assertThat(out.lines().findFirst().orElseThrow()).startsWith("id").contains("state", "age");
    assertThat(out).contains("job_0198f3c27d5e7c1f8a3b9d  demo  mlp      TRAINING").contains("29%");
  }

  /// Its state says that it trains.
  @Test
  void aJobThatStandsStillSaysSo() {
    var stalled = (ObjectNode) Json.tree(job(JobState.TRAINING, 3, 0.25));
    stalled.set(
        "stall", Json.tree(new JobView.Stall(START, "the database has no room left on its disk")));
    serveJob(job(JobState.TRAINING, 3, 0.25));
    server.on("GET /jobs", 200, Map.of("items", List.of(stalled)));
    server.on("GET /jobs/" + JOB, 200, stalled);

    assertThat(run("job", "list")).isZero();
    assertThat(out).contains("TRAINING, stands still");

    assertThat(run("job", "describe", JOB)).isZero();
    assertThat(out)
        .containsPattern("stands still +since .*: the database has no room left on its disk");
  }

  /// Its program has no loss to measure on the samples that judge.
  @Test
  void whatJudgesARaceIsNamedByWhatItMeasures() {
    serveJob(job(JobState.TRAINING, 3, 0.25));

    assertThat(run("branch", "list", JOB)).isZero();
    assertThat(out.lines().findFirst().orElseThrow()).contains("probe accuracy");
    assertThat(out).contains("0.3").doesNotContain("-0.3");
  }

  /// What whoever installed a tool tries first.
  @ParameterizedTest
  @ValueSource(strings = {"version", "--version", "-V"})
  void theVersionIsToldHoweverItIsAskedFor(String words) {
    server.on("GET /version", 200, Map.of("version", "7.8"));

    assertThat(run(words)).isZero();

    assertThat(out).startsWith("espalier " + Version.CURRENT).contains("server   7.8 at ");
  }

  @Test
  void listFollowsItsPages() {
    server.on(
        "GET /jobs",
        200,
        Map.of("items", List.of(job(JobState.TRAINING, 3, 0.25)), "nextPageToken", "a b"));
    server.on(
        "GET /jobs?pageSize=200&pageToken=a b",
        200,
        Map.of("items", List.of(job(JobState.FAILED, 4, null))));

    assertThat(run("job", "list", "-o", "json")).isZero();

    assertThat(Json.parse(out)).hasSize(2);
  }

  @Test
  void yamlIsWrittenInBlocks() {
    serveJob(job(JobState.TRAINING, 3, 0.25));

    assertThat(run("job", "describe", JOB, "-o", "yaml")).isZero();

    assertThat(Json.readDocument("out", out)).containsEntry("id", JOB);
  }

  @Test
  void latestStandsForTheNewestJob() {
    server.on("GET /jobs?pageSize=1", 200, Map.of("items", List.of(Map.of("id", JOB))));
    serveJob(job(JobState.TRAINING, 3, 0.25));

    assertThat(run("job", "describe", "latest")).isZero();

    assertThat(out).contains("learningRate 0.0123");
  }

  @Test
  void secondsThatNoClockTookAreTold() {
    serveJob(job(JobState.TRAINING, 3, 0.25));

    assertThat(run("job", "describe", JOB)).isZero();

    assertThat(out)
        .containsPattern("in all +50.0 s, 7.0 s of them for starts of workers and between clocks");
  }

  @Test
  void workerThatStallsIsTold() {
    serveJob(job(JobState.TRAINING, 3, 0.25));
    server.on(
        "GET /jobs/" + JOB + "/workers",
        200,
        "{\"items\": [{\"worker\": 0, \"attached\": true, \"stall\": null},"
            + " {\"worker\": 1, \"attached\": true, \"stall\": \"clock 7 has run for 61 s\"}]}");

    assertThat(run("job", "describe", JOB)).isZero();

    assertThat(out).containsPattern("stalls +worker 1: clock 7 has run for 61 s");
    assertThat(out).doesNotContain("worker 0:");
  }

  @Test
  void submissionWarnsOfKeysWithoutEffect() throws IOException {
    server.on("POST /jobs", 201, job(JobState.QUEUED, 1, null));
    Path file = folder.resolve("job.yaml");
    Files.writeString(file, "program: mlp\ntuning: { maxTrials: 3 }\n");

    assertThat(run("job", "submit", file.toString(), "-o", "json")).isZero();

    assertThat(Json.parse(out).path("id").asString("")).isEqualTo(JOB);
    assertThat(err)
        .isEqualTo(
            "espalier: warning: tuning.maxTrials has no effect with the policy racing, only with"
                + " mltuner\n");
  }

  @Test
  void submissionCarriesOverridesAndKey() throws IOException {
    server.on("POST /jobs", 201, job(JobState.QUEUED, 1, null));
    Path file = folder.resolve("job.yaml");
    Files.writeString(file, "program: mlp\nworkers: 2\nstop: { maxTime: 1m }\n");

    int code = run("job", "submit", file.toString(), "--name", "x", "--data", "d", "--seed", "7");

    assertThat(code).isZero();
    assertThat(out).contains("Submitted job_0198f3c27d5e7c1f8a3b9d.");
    assertThat(Json.plain(Json.parse(server.bodies.getLast())))
        .isEqualTo(
            Map.of(
                "program",
                "mlp",
                "workers",
                2,
                "stop",
                Map.of("maxTime", "1m"),
                "name",
                "x",
                "data",
                "d",
                "seed",
                7));
  }

  @Test
  void jobFileComesFromStandardInput() {
    server.on(
        "POST /jobs?dryRun=true&tryOut=true",
        200,
        Map.of(
            "valid",
            true,
            "config",
            Map.of("seed", 42),
            "warnings",
            List.of("a worker on this server cannot open it: no GPU")));

    assertThat(runWith("program: mlp", "job", "submit", "-", "--dry-run")).isZero();

    assertThat(out).contains("seed: 42");
    assertThat(err)
        .isEqualTo("espalier: warning: a worker on this server cannot open it: no GPU\n");
  }

  @Test
  void everyProblemOfAJobFileIsTold() {
    refuse(
        "the job file has 2 problems",
        List.of(
            Map.of("pointer", "/workers", "message", "workers must be >= 1 but is 0"),
            Map.of("pointer", "/x", "message", "unknown key x")));

    assertThat(err)
        .isEqualTo(
            """
            espalier: the job file has 2 problems
              /workers: workers must be >= 1 but is 0
              /x: unknown key x
            """);
  }

  @Test
  void oneProblemKeepsItsPlace() {
    String problem = "max must be >= 0 but is -3";
    refuse(problem, List.of(Map.of("pointer", "/tuning/runs/max", "message", problem)));

    assertThat(err).isEqualTo("espalier: /tuning/runs/max: max must be >= 0 but is -3\n");
  }

  /// Submits a job file that the server refuses.
  private void refuse(String detail, List<Map<String, String>> errors) {
    server.on("POST /jobs", 422, Map.of("code", "INVALID_JOB", "detail", detail, "errors", errors));

    assertThat(runWith("program: mlp", "job", "submit", "-")).isEqualTo(3);
  }

  @Test
  void fileThatIsNoTextIsNoJobFile() throws IOException {
    Path file = Files.write(folder.resolve("job.yaml"), new byte[] {'a', (byte) 0xff});

    assertThat(run("job", "submit", file.toString())).isEqualTo(3);
    assertThat(err).isEqualTo("espalier: " + file + " must be text in UTF-8\n");
  }

  @Test
  void scheduleSaysThatItsRateFell() {
    var fell =
        new ScheduleView.ResultStep(
            0, Map.of("learningRate", 0.1), new Shape.LinearToZero(50, 100));
    server.on(
        "GET /jobs/" + JOB + "/schedule",
        200,
        new ScheduleView(
            JOB,
            List.of(new ScheduleView.Step(0, 0, 3, Map.of("learningRate", 0.1))),
            new ScheduleView.Result(1, 100, 1.0, List.of(fell))));

    assertThat(run("schedule", "show", JOB)).isZero();

    assertThat(out)
        .contains("The learning rate fell to zero once")
        .contains("espalier schedule export job_0198f3c27d5e7c1f8a3b9d --format job");
  }

  @Test
  void brokenYamlIsToldWithLineAndColumn() {
    assertThat(runWith("program: [mlp", "job", "submit", "-")).isEqualTo(3);
    assertThat(err).startsWith("espalier: standard input:1:14: ");

    assertThat(runWith("just words", "job", "submit", "-")).isEqualTo(3);
    assertThat(err).contains("must be a mapping of names to values, but is just words");

    assertThat(runWith("a: 1\na: 2", "job", "submit", "-")).isEqualTo(3);
    assertThat(err).contains("duplicate key");
  }

  @Test
  void anAliasThatLeadsRoundInACircleIsRefused() {
    assertThat(runWith("program: &all [*all]", "job", "submit", "-")).isEqualTo(3);
    assertThat(err).contains("standard input: an alias must not stand for what it is a part of");

    assertThat(Json.readDocument("file", "tunables: &a {}\ntuning: [*a, *a]"))
        .containsEntry("tuning", List.of(Map.of(), Map.of()));
  }

  @ParameterizedTest
  @CsvSource({
    "409,WRONG_STATE,5", "412,VERSION_MISMATCH,5", "404,NOT_FOUND,4", "401,UNAUTHENTICATED,6",
    "403,FORBIDDEN,6", "503,DATABASE_AWAY,7", "422,INVALID_SETTING,3", "500,INTERNAL,1",
    "400,INVALID_REQUEST,2", "422,KEY_REUSED,5"
  })
  void problemDecidesTheExitCode(int httpStatus, String code, int expected) {
    server.on(
        "POST /jobs/job_0198f3c27d5e7c1f8a3b9d/pause",
        httpStatus,
        Map.of("code", code, "detail", "the job is PAUSED"));

    assertThat(run("job", "pause", JOB)).isEqualTo(expected);

    assertThat(err).startsWith("espalier: the job is PAUSED\n");
  }

  @Test
  void answerThatIsNoProblemDocumentIsToldByItsStatus() {
    server
        .on("GET /jobs/job_0198f3c27d5e7c1f8a3b9d", 502, "<html>Bad gateway</html>")
        .on("GET /jobs/job_0298f3c27d5effffffffff", 418, "<html>A teapot</html>");

    assertThat(run("job", "describe", JOB)).isEqualTo(7);
    assertThat(err)
        .isEqualTo("espalier: the server is not reached: what stands before it answers 502\n");

    assertThat(run("job", "describe", "job_0298f3c27d5effffffffff")).isEqualTo(1);
    assertThat(err).isEqualTo("espalier: the server answered 418\n");
  }

  @Test
  void serverThatIsAwayIsTold() throws IOException {
    server.close();

    assertThat(run("job", "list")).isEqualTo(7);

    assertThat(err).contains("no server answers at " + server.address());
    server = new TestingServer();
  }

  @Test
  void wrongTokenIsTold() throws IOException {
    Path file = folder.resolve("other");
    Files.writeString(file, "nonsense\n");

    assertThat(run("job", "list", "--token-file", file.toString())).isEqualTo(6);
    assertThat(err).contains("a token is needed").contains("--token-file");

    assertThat(run("job", "list", "--token-file", "/nowhere")).isEqualTo(4);
    assertThat(err).contains("there is no file /nowhere");
  }

  @Test
  void tokenThatIsNoneIsNotShown() {
    assertThat(runAs("esp_secret\nesp_other", "", "job", "list")).isEqualTo(6);
    assertThat(err).contains("ESPALIER_TOKEN must hold one token").doesNotContain("esp_");
  }

  @Test
  void tokenOfThisMachinesServerIsForNoOther() throws IOException {
    Files.writeString(folder.resolve("token"), TestingServer.TOKEN + "\n");

    var invocation =
        new Invocation(
            Map.of("ESPALIER_HOME", folder.toString()),
            InputStream.nullInputStream(),
            Output.ofProcess(),
            System.err,
            _ -> Terminal.plain(System.out));
    assertThat(invocation.token("http://127.0.0.1:7070")).contains(TestingServer.TOKEN);
    assertThat(invocation.token("http://train:7070")).isEmpty();
    assertThat(TunerClient.isOnThisMachine("http://localhost:7070/")).isTrue();
    assertThat(TunerClient.isOnThisMachine("http://127.0.0.2")).isTrue();
    assertThat(TunerClient.isOnThisMachine("https://[::1]:1")).isTrue();
    assertThat(TunerClient.isOnThisMachine("http://127.0.0.1.example.org")).isFalse();
    assertThat(TunerClient.isOnThisMachine("http://train:7070")).isFalse();
  }

  @Test
  void comparisonOfNothingIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("job.yaml"), "program: mlp\n");

    assertThat(run("job", "compare", file.toString(), "--parallel", "0")).isEqualTo(2);
    assertThat(err).contains("--parallel must be >= 1 but is 0");
    assertThat(run("job", "compare", file.toString(), "--seeds", "-1")).isEqualTo(2);
    assertThat(err).contains("--seeds must be >= 1 but is -1");
  }

  @Test
  void mistypedCommandIsAnsweredWithTheOneThatWasMeant() {
    assertThat(run("job", "submt")).isEqualTo(2);
    assertThat(err).contains("submt").contains("job submit").contains("Try: espalier job --help");

    assertThat(run()).isEqualTo(2);
    assertThat(run("job")).isEqualTo(2);
    assertThat(run("job", "describe", "")).isEqualTo(2);
    assertThat(run("job", "list", "--server", "ftp://x")).isEqualTo(2);
    assertThat(err).contains("server must be an address such as http://127.0.0.1:7070");
  }

  /// The beginning of an id comes before a name, and what may be either of two is refused.
  @Test
  void aJobIsNamedByTheBeginningOfItsIdOrByItsName() {
    String other = "job_0198f3c27d5effffffffff";
    server.on("POST /jobs/" + JOB + "/pause", 202, job(JobState.TRAINING, 4, 0.1));
    server.on(
        "POST /jobs/" + other + "/pause", 202, job(JobState.TRAINING, 4, 0.1, other, "../x y"));
    server.on(
        "GET /jobs",
        200,
        Map.of(
            "items",
            List.of(
                job(JobState.TRAINING, 4, 0.1),
                job(JobState.TRAINING, 4, 0.1, other, "../x y"),
                job(JobState.FAILED, 4, 0.1, "job_0298f3c27d5effffffffff", "demo"))));

    assertThat(run("job", "pause", "job_0198f3c27d5e7")).isEqualTo(0);
    assertThat(out).contains(JOB);
    assertThat(run("job", "pause", "../x y")).isEqualTo(0);
    assertThat(out).contains(other);
    assertThat(server.requests).contains("GET /jobs?pageSize=1000&name=../x y");

    assertThat(run("job", "describe", "job_0198f3c27d5e")).isEqualTo(2);
    assertThat(err)
        .isEqualTo(
            "espalier: 2 jobs are meant by job_0198f3c27d5e, the newest of them "
                + JOB
                + ": name one by its id\n");
    assertThat(run("job", "kill", "demo")).isEqualTo(2);
    assertThat(run("job", "describe", "dem")).isEqualTo(4);
    assertThat(err).contains("there is no job whose id begins with dem or whose name it is");
  }

  @Test
  void treeDrawsTheMainlineAndCountsTheRest() {
    server.on("GET /jobs/job_0198f3c27d5e7c1f8a3b9d", 200, job(JobState.TRAINING, 4, 0.1));
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d/tree",
        200,
        Map.of(
            "mainlineBranch",
            3,
            "branches",
            List.of(
                branch(2, 0, BranchState.DISCARDED, Verdict.DIVERGED),
                branch(3, 2, BranchState.KEPT, Verdict.CONVERGING),
                branch(4, 2, BranchState.DISCARDED, Verdict.UNSTABLE))));

    assertThat(run("branch", "tree", JOB)).isZero();
    assertThat(out)
        .contains("1 tried and discarded")
        .contains("#3 round 1")
        .contains("probe accuracy 0.3")
        .doesNotContain("#4");
    assertThat(out.lines().filter(line -> line.endsWith(", the result")))
        .singleElement()
        .asString()
        .contains("#2 ");

    assertThat(run("branch", "tree", JOB, "--all")).isZero();
    assertThat(out).contains("├─ #4 round 1");
  }

  @Test
  void treeOfManyBranchesCountsThoseThatItWasNotSent() {
    server.on("GET /jobs/job_0198f3c27d5e7c1f8a3b9d", 200, job(JobState.TRAINING, 4, 0.1));
    BranchView kept = branch(3, 0, BranchState.KEPT, Verdict.CONVERGING);
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d/tree",
        200,
        Map.of("mainlineBranch", 3, "branches", List.of(kept), "leftOut", Map.of("3", 18000)));
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d/branches",
        200,
        Map.of("items", List.of(kept, branch(4, 3, BranchState.DISCARDED, Verdict.UNSTABLE))));

    assertThat(run("branch", "tree", JOB)).isZero();
    assertThat(out).contains("18000 tried and discarded");

    assertThat(run("branch", "tree", JOB, "--all")).isZero();
    assertThat(out).contains("#4 round 1").doesNotContain("tried and discarded");

    assertThat(run("branch", "tree", JOB, "--all", "-o", "json")).isZero();
    assertThat(Json.parse(out).path("branches")).hasSize(2);
    assertThat(Json.parse(out).path("leftOut").isEmpty()).isTrue();
    assertThat(Json.parse(out).path("mainlineBranch").asInt()).isEqualTo(3);
  }

  @Test
  void settingToTryStartsFromTheCurrentOne() {
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d/config",
        200,
        Map.of("tunables", Map.of("learningRate", Map.of(), "momentum", Map.of())));
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d",
        200,
        Map.of("setting", Map.of("learningRate", 0.1, "momentum", 0.9, "staleness", 0)));
    server.on("POST /jobs/job_0198f3c27d5e7c1f8a3b9d/branches", 202, job(JobState.TUNING, 4, 0.1));

    assertThat(run("branch", "try", JOB, "--set", "learningRate=0.5")).isZero();

    assertThat(Json.plain(Json.parse(server.bodies.getLast())))
        .isEqualTo(Map.of("setting", Map.of("learningRate", 0.5, "momentum", 0.9)));
  }

  @Test
  void scheduleIsExportedAsAJobFileThatReplaysIt() {
    serveJob(job(JobState.COMPLETED, 9, 0.1));

    assertThat(run("schedule", "export", JOB, "--format", "job")).isZero();

    assertThat(Json.readDocument("out", out).get("tuning"))
        .isEqualTo(
            Map.of(
                "policy",
                "fixed",
                "schedule",
                List.of(Map.of("fromClock", 0, "setting", Map.of("learningRate", 0.03)))));
  }

  @Test
  void otherReadsShowTheirTables() {
    serveJob(job(JobState.TRAINING, 3, 0.25));

    assertThat(run("round", "list", JOB)).isZero();
    assertThat(out).contains("INITIAL").contains("2 of 24").contains("Kept branch #3.");
    assertThat(run("decision", "list", JOB)).isZero();
    assertThat(out).contains("mltuner.fastest-trial");
    assertThat(run("schedule", "show", JOB)).isZero();
    assertThat(out).contains("from clock").contains("0.03");
    assertThat(run("branch", "list", JOB)).isZero();
    assertThat(out).contains("DIVERGED").contains("0.75/s");
    assertThat(out).contains("best accuracy").contains("0.73 at epoch 2.5");
    server.on(
        "GET /jobs/" + JOB + "/branches/3",
        200,
        branch(3, 0, BranchState.KEPT, Verdict.CONVERGING));
    assertThat(run("branch", "describe", JOB, "3")).isZero();
    assertThat(out).containsPattern("best accuracy +0.73 at epoch 2.5");
    assertThat(run("evaluation", "list", JOB)).isZero();
    assertThat(out)
        .containsPattern("start +branch +clock +epoch +time +accuracy")
        .contains("20.0 s");
    assertThat(out).containsPattern("1 +#2 +50 +0.5 +30.0 s +0.95");
    server.on(
        "GET /jobs/" + JOB + "/workers",
        200,
        Map.of(
            "items",
            List.of(
                new WorkerView(0, true, START, null),
                new WorkerView(1, false, null, "step takes 40 s"))));
    assertThat(run("worker", "list", JOB)).isZero();
    assertThat(out).containsPattern("0 +up").containsPattern("1 +down +- +step takes 40 s");
  }

  @Test
  void snapshotsAreListedAndTheResultAmongThem() {
    serveJob(job(JobState.TRAINING, 3, 0.25));
    server.on(
        "GET /jobs/" + JOB + "/snapshots",
        200,
        Map.of(
            "items",
            List.of(
                new SnapshotView(2, 2, 1, 50, 1, Map.of(), SnapshotState.DROPPED, 10, false, START),
                snapshot(3, 2),
                new SnapshotView(
                    4, 2, 1, 100, 1, Map.of(), SnapshotState.READY, 3 << 20, true, START))));

    assertThat(run("snapshot", "list", JOB)).isZero();
    assertThat(out.lines())
        .satisfiesExactly(
            head -> assertThat(head).startsWith("snapshot"),
            other -> assertThat(other).containsPattern("^ +3 +#2 ").endsWith("READY"),
            result ->
                assertThat(result)
                    .containsPattern("^ +4 +#2 .* 3  ")
                    .endsWith("READY, pinned, the result"));
    assertThat(run("snapshot", "list", JOB, "--all")).isZero();
    assertThat(out).contains("DROPPED");
  }

  @Test
  void snapshotsAndBranchesAreActedOnByTheirNumber() {
    JobView view = job(JobState.TRAINING, 4, 0.1);
    for (String path :
        List.of(
            "snapshots/7/restore",
            "snapshots/7/pin",
            "snapshots/7/unpin",
            "branches/12/keep",
            "branches/12/discard")) {
      server.on("POST /jobs/job_0198f3c27d5e7c1f8a3b9d/" + path, 202, view);
    }

    assertThat(run("snapshot", "restore", JOB, "7")).isZero();
    assertThat(out).isEqualTo("Asked to go back to snapshot 7 of job_0198f3c27d5e7c1f8a3b9d.\n");
    assertThat(run("snapshot", "pin", JOB, "#7")).isZero();
    assertThat(run("snapshot", "unpin", JOB, "7")).isZero();
    assertThat(run("branch", "keep", JOB, "#12")).isZero();
    assertThat(out).isEqualTo("Branch #12 of job_0198f3c27d5e7c1f8a3b9d wins its round.\n");
    assertThat(run("branch", "discard", JOB, "12")).isZero();
    assertThat(run("snapshot", "pin", JOB, "../1")).isEqualTo(2);
    assertThat(err).isEqualTo("espalier: snapshot must be a number such as 12 but is ../1\n");
  }

  @Test
  void theFileOfAJobIsPrintedAsYaml() {
    serveJob(job(JobState.TRAINING, 3, 0.25));

    assertThat(run("config", "show", JOB)).isZero();
    assertThat(out).isEqualTo("stop:\n  maxTime: 10m\n");
  }

  @Test
  void jobsAreListedByStates() {
    server.on(
        "GET /jobs?pageSize=200&state=TRAINING&state=TUNING", 200, Map.of("items", List.of()));

    assertThat(run("job", "list", "--state", "training,TUNING")).isZero();
    assertThat(out).isEqualTo("No jobs in this state.\n");
  }

  @Test
  void signInLinkCarriesTheCode() {
    server.on("POST /sign-in-codes", 201, Map.of("code", "c+1"));

    assertThat(run("sign-in")).isZero();

    assertThat(out).isEqualTo(server.address() + "/sign-in?code=c%2B1\n");
  }

  @Test
  void fileIsCheckedWithoutAServerToo() throws IOException {
    server.close();

    assertThat(runWith("program: mlp\nworkers: 0", "config", "validate", "-")).isEqualTo(3);
    assertThat(err).contains("/workers: workers must be >= 1 but is 0");
    assertThat(runWith("program: mlp", "config", "validate", "-")).isZero();
    assertThat(err).contains("checked without a server").doesNotContain("warning");
    String file = "program: mlp\ntuning: { policy: asha, windows: 12 }";
    assertThat(runWith(file, "config", "validate", "-")).isZero();
    assertThat(err).contains("warning: tuning.windows has no effect with the policy asha");
    server = new TestingServer();
  }

  @Test
  void watchGoesOnAfterTheServerWasAway() {
    serveJob(job(JobState.TRAINING, 1, 2.0));
    server.events(
        "/jobs/job_0198f3c27d5e7c1f8a3b9d/events",
        (last, stream) -> {
          if (last.isEmpty()) {
            stream.write(event(7, "job.changed", job(JobState.TRAINING, 2, 1.0)));
            return;
          }
          assertThat(last).isEqualTo("7");
          serveJob(job(JobState.COMPLETED, 3, 0.5));
          stream.write(event(8, "job.changed", job(JobState.COMPLETED, 3, 0.5)));
        });

    assertThat(run("job", "watch", JOB)).isZero();

    assertThat(out)
        .contains("Lost the server")
        .contains("decision round-1/adopt: Branch #3 was fastest.")
        .contains("epoch 1: accuracy 0.8 after 20.0 s")
        .doesNotContain("accuracy 0.95")
        .contains("branch #2 (learningRate 0.02): diverged")
        .contains("COMPLETED: All is well.")
        .contains("Schedule found")
        .contains("29% of the time");
  }

  /// Both starts were evaluated at clock 100; the model of the first one is the result.
  @Test
  void startsAreToldApart() {
    serveJob(job(JobState.COMPLETED, 3, 0.5, 2, 1.25));
    server.on(
        "GET /jobs/" + JOB + "/evaluations",
        200,
        Map.of(
            "items",
            List.of(
                new EvaluationView(1, 0, true, 100, 1.0, 20, Map.of("accuracy", 0.9)),
                new EvaluationView(2, 0, true, 100, 1.0, 40, Map.of("accuracy", 0.8)))));
    server.on(
        "GET /jobs/" + JOB + "/schedule",
        200,
        new ScheduleView(
            JOB,
            List.of(),
            new ScheduleView.Result(
                1,
                100,
                1.0,
                List.of(new ScheduleView.ResultStep(0, Map.of("learningRate", 0.1), null)))));

    assertThat(run("job", "watch", JOB)).isZero();
    assertThat(out)
        .contains("epoch 1 of start 1: accuracy 0.9 after 20.0 s")
        .contains("epoch 1 of start 2: accuracy 0.8 after 40.0 s")
        .contains("accuracy       0.9 (over the job between 0.8 and 0.9)")
        .contains("the model of epoch 1 of start 1, the best")
        .contains("4.25 in 2 starts")
        .containsPattern("rounds +1\n")
        .containsPattern("settings +2 tried\n");

    assertThat(run("job", "describe", JOB)).isZero();
    assertThat(out)
        .contains("3 of start 2")
        .contains("4.25 in 2 starts")
        .containsPattern("result +the model of epoch 1 of start 1, the best: 0.9\n")
        .containsPattern("lies at +branch #2, clock 100, snapshot 4\n")
        .containsPattern("began with +learningRate 0.1\n");
    server.on("GET /jobs", 200, Map.of("items", List.of(job(JobState.TRAINING, 3, 0.5, 2, 1.25))));
    assertThat(run("job", "list")).isZero();
    assertThat(out).contains("3 of start 2");
  }

  @ParameterizedTest
  @CsvSource({"FAILED,8", "CANCELED,9", "COMPLETED,0"})
  void watchEndsAsItsJobDid(JobState state, int expected) {
    serveJob(job(state, 3, 0.5));

    assertThat(run("job", "watch", JOB)).isEqualTo(expected);
  }

  @Test
  void answerForAProgramStandsAlone() throws IOException {
    serveJob(job(JobState.TRAINING, 1, 2.0));
    server.on("POST /jobs", 201, job(JobState.QUEUED, 1, null));
    server.on("DELETE /jobs/job_0198f3c27d5e7c1f8a3b9d", 204, "");
    server.on("DELETE /tokens/tok_1", 204, "");
    server.events(
        "/jobs/job_0198f3c27d5e7c1f8a3b9d/events",
        (_, stream) -> stream.write(event(8, "job.changed", job(JobState.COMPLETED, 3, 0.5))));
    Path file = Files.writeString(folder.resolve("job.yaml"), "program: mlp\n");

    assertThat(run("job", "watch", JOB, "-o", "json")).isZero();
    assertThat(Json.parse(out).path("state").asString("")).isEqualTo("COMPLETED");
    assertThat(err).contains("decision round-1/adopt: Branch #3 was fastest.");

    assertThat(run("job", "submit", file.toString(), "--follow", "-o", "yaml")).isZero();
    assertThat(Json.readDocument("out", out)).containsEntry("state", "COMPLETED");
    assertThat(err).startsWith("Submitted job_0198f3c27d5e7c1f8a3b9d.\n");

    assertThat(run("job", "delete", JOB, "--yes", "-o", "json")).isZero();
    assertThat(Json.parse(out).path(0).path("id").asString("")).isEqualTo(JOB);

    assertThat(run("token", "revoke", "tok_1", "-o", "json")).isZero();
    assertThat(Json.plain(Json.parse(out))).isEqualTo(Map.of("id", "tok_1"));
  }

  @Test
  void quietJobIsAskedForByItselfUntilItChanges() {
    serveJob(job(JobState.TRAINING, 1, 2.0));
    var read = new ArrayList<Long>();
    server.events(
        "/jobs/job_0198f3c27d5e7c1f8a3b9d/events",
        (_, stream) -> {
          stream.write(": here\n\n".getBytes(StandardCharsets.UTF_8));
          stream.flush();
          while (asked("GET /jobs/job_0198f3c27d5e7c1f8a3b9d") < 4) {
            Thread.sleep(20);
          }
          read.add(asked("GET /jobs/job_0198f3c27d5e7c1f8a3b9d/branches?pageSize=1000"));
          serveJob(job(JobState.COMPLETED, 2, 0.5));
          Thread.sleep(10_000);
        });

    assertThat(run("job", "watch", JOB)).isZero();

    assertThat(out).contains("COMPLETED").doesNotContain("Lost");
    assertThat(read).containsExactly(1L);
  }

  private long asked(String request) {
    return List.copyOf(server.requests).stream().filter(request::equals).count();
  }

  @Test
  @Timeout(30)
  void watchEndsWhenItsReaderDoes() {
    serveJob(job(JobState.TRAINING, 1, 2.0));
    server.events(
        "/jobs/job_0198f3c27d5e7c1f8a3b9d/events",
        (_, stream) -> {
          for (int version = 2; version < 1000; version++) {
            JobState state = version % 2 == 0 ? JobState.TUNING : JobState.TRAINING;
            stream.write(event(version, "job.changed", job(state, version, 1.0)));
            stream.flush();
            Thread.sleep(50);
          }
        });

    assertThat(
            runOn(
                new Head(500, "Broken pipe"), false, TestingServer.TOKEN, "", "job", "watch", JOB))
        .isZero();

    assertThat(out).hasSizeLessThan(600);
    assertThat(server.requests).doesNotContain("GET /jobs/job_0198f3c27d5e7c1f8a3b9d/kill");
  }

  @Test
  void answerThatIsCutOffIsTold() {
    server.on("GET /jobs", 200, "{\"items\": [], \"nextPageToken\": \"\"}");
    var full = new Head(3, "No space left on device");
    var gone = new Head(3, "Broken pipe");

    assertThat(runOn(full, false, TestingServer.TOKEN, "", "job", "list")).isEqualTo(1);
    assertThat(err).contains("standard output cannot be written: No space left on device");

    assertThat(runOn(gone, false, TestingServer.TOKEN, "", "job", "list")).isZero();
    assertThat(err).isEmpty();
  }

  /// A reader that takes no more when it has enough.
  private static final class Head extends OutputStream {
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final int enough;
    private final String reason;

    Head(int enough, String reason) {
      this.enough = enough;
      this.reason = reason;
    }

    @Override
    public void write(int character) throws IOException {
      if (read.size() >= enough) {
        throw new IOException(reason);
      }
      read.write(character);
    }

    @Override
    public String toString() {
      return read.toString(StandardCharsets.UTF_8);
    }
  }

  @Test
  void comparisonOutlastsAServerThatIsAway() throws IOException {
    Path file = Files.writeString(folder.resolve("job.yaml"), "program: mlp\n");
    serveJob(job(JobState.COMPLETED, 3, 0.5));
    Map<String, String> away = Map.of("code", "DATABASE_AWAY", "detail", "no database");
    server
        .on("POST /jobs?dryRun=true", 200, Map.of())
        .on("POST /jobs", 201, Map.of("id", JOB))
        .first("GET /jobs/job_0198f3c27d5e7c1f8a3b9d", 503, away)
        .first("GET /jobs/job_0198f3c27d5e7c1f8a3b9d/evaluations", 503, away)
        .on(
            "GET /programs/mlp",
            200,
            Map.of("validation", List.of(Map.of("name", "accuracy", "goal", "MAXIMIZE"))));

    assertThat(run("job", "compare", file.toString(), "--policies", "racing", "-o", "json"))
        .isZero();

    assertThat(err)
        .contains("Running racing seed 1 as job_0198f3c27d5e7c1f8a3b9d (1 of 1)")
        .contains("Lost the server (no database); trying again")
        .contains("The server is back; going on.");
    assertThat(Json.parse(out).path("policies").path(0).path("quality").asDouble()).isEqualTo(0.8);
  }

  /// An evaluation of an untrained model would be the quality that all reached.
  @Test
  void aRunThatFailedIsNotComparedWithTheOthers() throws IOException {
    Path file = Files.writeString(folder.resolve("job.yaml"), "program: mlp\n");
    serveJob(job(JobState.COMPLETED, 3, 0.5));
    server
        .first("POST /jobs", 200, Map.of())
        .first("POST /jobs", 200, Map.of())
        .first("POST /jobs", 201, Map.of("id", "job_2"))
        .on("POST /jobs", 201, Map.of("id", JOB))
        .on("GET /jobs/job_2", 200, job(JobState.FAILED, 1, null))
        .on(
            "GET /jobs/job_2/evaluations",
            200,
            Map.of(
                "items",
                List.of(new EvaluationView(1, 0, true, 0, 0, 0.1, Map.of("accuracy", 0.1)))))
        .on(
            "GET /programs/mlp",
            200,
            Map.of("validation", List.of(Map.of("name", "accuracy", "goal", "MAXIMIZE"))));

    assertThat(run("job", "compare", file.toString(), "--policies", "racing,fixed")).isEqualTo(8);

    assertThat(out)
        .containsPattern("racing +failed +- ")
        .contains(
            "Common quality is accuracy 0.8, the best that every run reached but for 1 of 2 that"
                + " failed");
  }

  @Test
  void recordingIsKeptAsItCame() throws IOException {
    server.on("GET /jobs/job_0198f3c27d5e7c1f8a3b9d/recording", 200, "{\"job\": {}}\n");
    Path kept = folder.resolve("job.ndjson");

    assertThat(run("job", "replay", JOB, "--save", kept.toString())).isEqualTo(2);
    assertThat(err).contains(JOB);
    assertThat(kept).hasContent("{\"job\": {}}");

    assertThat(run("job", "replay", kept.toString())).isEqualTo(2);
    assertThat(err).contains("job.ndjson");
  }

  @Test
  void terminalDoesNotObeyWhatAWorkerWrote() {
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d/logs?tail=200",
        200,
        "loss\t1\u001b]0;owned\u0007\u009b2J\n");

    assertThat(
            runOn(new ByteArrayOutputStream(), true, TestingServer.TOKEN, "", "job", "logs", JOB))
        .isZero();
    assertThat(out).isEqualTo("loss\t1\ufffd]0;owned\ufffd\ufffd2J\n");
  }

  @Test
  void whatIsNoServerOfOursIsToldApart() throws Exception {
    server.on("GET /jobs/job_0198f3c27d5e7c1f8a3b9d", 404, "<html>Not here</html>");
    assertThat(run("job", "describe", JOB)).isEqualTo(4);
    assertThat(err)
        .isEqualTo(
            "espalier: what answers at "
                + server.address()
                + " is no Espalier server: it says 404\n");

    try (var other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread.startVirtualThread(() -> {
        try (Socket socket = other.accept()) {
          socket
              .getOutputStream()
              .write(new byte[] {0, 0, 24, 4, 0, 0, 0, 0, 0, 27, '[', '2', 'J'});
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
      String address = "http://127.0.0.1:" + other.getLocalPort();

      assertThat(run("--server", address, "job", "describe", JOB)).isEqualTo(7);
      assertThat(err).startsWith("espalier: ").contains(address).doesNotContain("\u001b", "\0");
    }
  }

  @Test
  void emptyLogsAreNoSilence() {
    serveJob(job(JobState.FAILED, 1, null));
    server.on("GET /jobs/job_0198f3c27d5e7c1f8a3b9d/logs?tail=200", 200, "");

    assertThat(run("job", "logs", JOB)).isZero();
    assertThat(out).isEmpty();
    assertThat(err).isEqualTo("Its workers have written nothing.\n");
  }

  @Test
  void logsAreAListOfLinesForWhoReadsJson() {
    server.on("GET /jobs/job_0198f3c27d5e7c1f8a3b9d/logs?tail=200", 200, "one\ntwo\u001b[2J\n");

    assertThat(run("-o", "json", "job", "logs", JOB)).isZero();
    assertThat(Json.parse(out).valueStream().map(line -> line.asString()))
        .containsExactly("one", "two\u001b[2J");
  }

  @Test
  void branchesOfARoundThatIsNotThereAreNotFound() {
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d/branches?pageSize=1000&round=99",
        200,
        Map.of("items", List.of()));
    server.on(
        "GET /jobs/job_0198f3c27d5e7c1f8a3b9d/rounds?pageSize=1000",
        200,
        Map.of("items", List.of(Map.of("round", 1))));

    assertThat(run("branch", "list", JOB, "--round", "99")).isEqualTo(4);
    assertThat(err).isEqualTo("espalier: job job_0198f3c27d5e7c1f8a3b9d has no round 99\n");
  }

  @ParameterizedTest
  @CsvSource({"true,false,true", "true,true,false", "false,false,false"})
  void helpHasColoursWhereAnswersHave(boolean hasColour, boolean noColour, boolean expected) {
    var bytes = new ByteArrayOutputStream();
    var stream = new Output(bytes, StandardCharsets.UTF_8);
    var invocation =
        new Invocation(
            Map.of("NO_COLOR", ""),
            InputStream.nullInputStream(),
            stream,
            System.err,
            no ->
                new Terminal(stream, true, hasColour && !no, true, Terminal.plain(stream).size()));

    String[] help = {"job", "--help", noColour ? "--no-color" : "--server=x"};
    assertThat(Espalier.run(invocation, help)).isZero();
    assertThat(bytes.toString(StandardCharsets.UTF_8).contains("\u001b[")).isEqualTo(expected);
  }

  @Test
  void helpIsAsWideAsTheTerminalWhichIsAskedOnce() {
    var made = new AtomicInteger();
    var bytes = new ByteArrayOutputStream();
    var stream = new Output(bytes, StandardCharsets.UTF_8);
    var invocation =
        new Invocation(
            Map.of(),
            InputStream.nullInputStream(),
            stream,
            System.err,
            _ -> {
              made.incrementAndGet();
              return new Terminal(stream, true, false, true, new Terminal.Size(24, 60));
            });

    assertThat(Espalier.run(invocation, "job", "submit", "--help")).isZero();
    assertThat(made).hasValue(1);
    assertThat(
            bytes
                .toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.contains("espalier")))
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(60));
  }

  private static byte[] event(long id, String type, Object view) {
    String data = Json.tree(Map.of("type", type, "sequence", id, "data", view)).toString();
    String ping = "event: ping\ndata: {}\n\n";
    return ("id: " + id + "\nevent: " + type + "\ndata: " + data + "\n\n: here\n\n" + ping)
        .getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void completionKnowsTheCommands() {
    assertThat(run("completion", "bash")).isZero();
    assertThat(out).contains("schedule").contains("--idempotency-key").contains("complete ");
    assertThat(run("completion", "zsh")).isZero();
    assertThat(out).startsWith("autoload");
  }

  @Test
  void exitCodesAreExplained() {
    assertThat(run("help", "exit-codes")).isZero();
    for (ExitStatus status : ExitStatus.values()) {
      assertThat(out).contains(status.code() + "  " + status.meaning());
    }
  }

  @Test
  void serverOptionsBecomeItsSettings() {
    var command = new ServerCommand();
    new picocli.CommandLine(command)
        .parseArgs(
            "--home",
            "/h",
            "--http-port",
            "0",
            "--data-root",
            "/a",
            "--data-root",
            "/b",
            "--set",
            "max-jobs-running=8");

    assertThat(command.arguments())
        .containsExactly(
            "--espalier.home=/h",
            "--espalier.http.port=0",
            "--espalier.data-roots[0]=/a",
            "--espalier.data-roots[1]=/b",
            "--espalier.max-jobs-running=8");
  }
}
