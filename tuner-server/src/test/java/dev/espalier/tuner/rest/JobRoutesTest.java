package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.EventLog.Commit;
import dev.espalier.tuner.app.port.EventLog.MetricPoint;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.boot.TestServer;
import dev.espalier.tuner.boot.TestServer.Answer;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import dev.espalier.tuner.core.session.TrainingStart;
import dev.espalier.tuner.replay.Recording;
import dev.espalier.tuner.replay.RecordingCodec;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.jdbc.core.JdbcTemplate;
import tools.jackson.databind.JsonNode;

class JobRoutesTest {
  private static final Setting RATE = Setting.of(Map.of("learningRate", 0.1));
  private static final String JOB = "{\"name\":\"first\",\"program\":\"toy\"}";
  private final TestServer server = TestServer.get();

  @TempDir private Path folder;

  @Test
  void submitAnswersWithTheJob() {
    Answer answer = server.post("/api/v1/jobs", JOB);

    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.header("location")).isEqualTo("/api/v1/jobs/" + id(answer));
    assertThat(answer.header("etag")).isEqualTo("\"1-0\"");
    assertThat(answer.json().get("state").asString()).isEqualTo("QUEUED");
    assertThat(server.get("/api/v1/jobs/" + id(answer)).json().get("name").asString())
        .isEqualTo("first");
  }

  @Test
  void submitTakesYaml() {
    Answer answer =
        server.send(
            server
                .request("/api/v1/jobs")
                .header("Content-Type", "application/yaml")
                .POST(BodyPublishers.ofString("name: from yaml\nprogram: toy\nseed: 7\n")));

    assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    assertThat(answer.json().get("seed").asInt()).isEqualTo(7);
  }

  @Test
  void dryRunAnswersWithEveryDefaultAndKeepsNothing() {
    int before = server.get("/api/v1/jobs?pageSize=1000").json().get("items").size();

    Answer answer = server.post("/api/v1/jobs?dryRun=true", JOB);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json().get("config").get("name").asString()).isEqualTo("first");
    assertThat(answer.json().get("config").size()).isGreaterThan(3);
    assertThat(server.get("/api/v1/jobs?pageSize=1000").json().get("items")).hasSize(before);
  }

  @Test
  void dryRunWarnsOfWhatAWorkerCannotOpen() {
    String job = "{\"program\": \"toy\", \"name\": \"too large\"}";

    assertThat(warnings("dryRun=true&tryOut=true", job))
        .isEqualTo("[\"a worker on this server cannot open it: it takes too much memory\"]");
    assertThat(warnings("dryRun=true", job)).isEqualTo("[]");
    assertThat(warnings("dryRun=true&tryOut=true", JOB)).isEqualTo("[]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "POST | /jobs?dryrun=true | unknown parameter dryrun; did you mean dryRun?",
        "GET | /jobs?foo=1&pageSize=2 | unknown parameter foo; known are state, name, pageSize",
        "GET | /programs?x | unknown parameter x"
      })
  void aParameterThatARouteDoesNotHaveIsRefused(String method, String route, String words) {
    int before = server.get("/api/v1/jobs?pageSize=1000").json().get("items").size();

    Answer answer =
        method.equals("GET") ? server.get("/api/v1" + route) : server.post("/api/v1" + route, JOB);

    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.json().get("detail").asString()).startsWith(words);
    assertThat(answer.json().get("errors").get(0).get("pointer").asString()).startsWith("/");
    assertThat(server.get("/api/v1/jobs?pageSize=1000").json().get("items")).hasSize(before);
  }

  @Test
  void aKeyThatABodyDoesNotHaveIsRefused() {
    assertThat(server.post("/api/v1/tokens", "{\"nmae\": \"x\"}").json().get("detail").asString())
        .isEqualTo("unknown key nmae; did you mean name?");
    assertThat(
            server
                .post(
                    "/api/v1/jobs/" + server.newJob() + "/branches",
                    "{\"setting\": {\"learningRate\": 0.1}, \"extra\": 1}")
                .json()
                .get("detail")
                .asString())
        .startsWith("unknown key extra");
  }

  @Test
  void dryRunWarnsOfKeysWithoutEffect() {
    String job = "{\"program\": \"toy\", \"tuning\": {\"maxTrials\": 3}}";

    assertThat(warnings("dryRun=true", job))
        .contains("tuning.maxTrials has no effect with the policy racing, only with mltuner");
  }

  /// Found out by a job otherwise, when its workers are there.
  @Test
  void dryRunWarnsOfBatchesThatAreTooLargeForTheData() {
    String job = "{\"program\": \"toy\", \"name\": \"few samples\", \"workers\": 2}";

    assertThat(warnings("dryRun=true&tryOut=true", job))
        .contains("it would fail at once: batchSize")
        .contains("must be <= 3, the number of training samples");
  }

  private String warnings(String query, String job) {
    return server.post("/api/v1/jobs?" + query, job).json().get("warnings").toString();
  }

  @Test
  void aJobThatHasNotEndedIsNotDeleted() {
    String job = "/api/v1/jobs/" + server.newJob();

    Answer answer = server.send(server.request(job).DELETE());

    assertThat(answer.status()).isEqualTo(409);
    assertThat(answer.json().get("detail").asString()).contains("cancel or kill it first");
    assertThat(server.get(job).status()).isEqualTo(200);
  }

  @Test
  void aSwitchThatIsNoneSaysWhatItMayBe() {
    Answer answer = server.post("/api/v1/jobs?dryRun=maybe", JOB);

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("detail").asString())
        .contains("dryRun must be true or false but is maybe");
  }

  @Test
  void aDeletedJobIsGone() {
    String id = server.newJob();
    server.bean(JobStore.class).fail(id, "test", "so that it has ended");

    assertThat(server.send(server.request("/api/v1/jobs/" + id).DELETE()).status()).isEqualTo(204);
    assertThat(server.get("/api/v1/jobs/" + id).status()).isEqualTo(404);
    assertThat(server.send(server.request("/api/v1/jobs/" + id).DELETE()).status()).isEqualTo(404);
  }

  @Test
  void configOfAJobMakesTheSameJobAgain() {
    String config = server.get("/api/v1/jobs/" + server.newJob() + "/config").body();

    Answer again = server.post("/api/v1/jobs", config);

    assertThat(again.status()).as(again.body()).isEqualTo(201);
    assertThat(server.get("/api/v1/jobs/" + id(again) + "/config").body()).isEqualTo(config);
  }

  @Test
  void badJobFileTellsAllItsProblems() {
    Answer answer =
        server.post(
            "/api/v1/jobs",
            "{\"nam\":\"x\",\"program\":\"toi\",\"workers\":0,\"data\":\"absent\"}");

    assertThat(answer.status()).isEqualTo(422);
    assertThat(answer.json().get("code").asString()).isEqualTo("INVALID_JOB");
    assertThat(answer.json().get("errors")).hasSize(4);
    assertThat(answer.json().get("errors").toString())
        .contains("/nam", "did you mean name", "/program", "did you mean toy?", "/workers")
        .contains("there is no folder absent");
  }

  @Test
  void dataOutsideOfTheRootsIsRefused() throws Exception {
    Path inside = Files.createDirectories(server.home().resolve("data/inside"));
    Path outside = Files.createDirectories(server.home().resolve("outside"));
    Path link = server.home().resolve("data/link");
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, outside);

    assertThat(dryRun(inside.getFileName().toString()).status()).isEqualTo(200);
    assertThat(dryRun("link").json().get("errors").get(0).get("pointer").asString())
        .isEqualTo("/data");
    assertThat(dryRun("absent").status()).isEqualTo(422);
    assertThat(dryRun("insyde").json().get("errors").get(0).get("message").asString())
        .startsWith("there is no folder insyde below the server's data roots ")
        .endsWith("; did you mean inside?");
    assertThat(dryRun("../outside").status()).isEqualTo(422);
    // A null is a key that is not named.
    Answer unnamed =
        server.post(
            "/api/v1/jobs?dryRun=true", "{\"program\":\"toy\",\"launch\":null,\"data\":\"link\"}");
    assertThat(unnamed.status()).isEqualTo(422);
  }

  @Test
  void listIsPagedNewestFirstWhileJobsArrive() {
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      made.addFirst(server.newJob());
    }

    Answer first = server.get("/api/v1/jobs?pageSize=3");
    server.newJob();
    Answer second =
        server.get(
            "/api/v1/jobs?pageSize=2&pageToken=" + first.json().get("nextPageToken").asString());

    assertThat(ids(first)).isEqualTo(made.subList(0, 3));
    assertThat(ids(second)).isEqualTo(made.subList(3, 5));
    assertThat(server.get("/api/v1/jobs?pageToken=x").status()).isEqualTo(400);
    assertThat(server.get("/api/v1/jobs?name=%00").status()).isEqualTo(400);
    assertThat(server.get("/api/v1/jobs?pageSize=0").status()).isEqualTo(400);
    String branches = "/api/v1/jobs/" + made.getFirst() + "/branches?round=";
    assertThat(server.get(branches + "0").status()).isEqualTo(200);
    assertThat(server.get(branches + "-1").status()).isEqualTo(400);
    server.post("/api/v1/jobs", "{\"name\":\"only-here\",\"program\":\"toy\"}");
    String named = "/api/v1/jobs?name=only-here";
    assertThat(server.get(named + "&state=QUEUED").json().get("items")).hasSize(1);
    assertThat(server.get(named + "&state=PAUSED&state=FAILED").json().get("items")).isEmpty();
    assertThat(server.get("/api/v1/jobs?name=no%25such_").json().get("items")).isEmpty();
    assertThat(server.get("/api/v1/job-counts").json().get("QUEUED").asLong()).isPositive();
    assertThat(server.get("/api/v1/jobs?state=SLEEPING").status()).isEqualTo(400);
  }

  @Test
  void actionsReachTheJob() {
    String job = server.newJob();
    String path = "/api/v1/jobs/" + job;

    for (String action : List.of("pause", "resume", "cancel", "kill", "rounds")) {
      assertThat(server.post(path + "/" + action, "").status()).as(action).isEqualTo(202);
    }
    Answer tried = server.post(path + "/branches", "{\"setting\":{\"learningRate\":0.5}}");

    assertThat(tried.status()).as(tried.body()).isEqualTo(202);
    assertThat(server.bean(RecordingJobService.class).asked())
        .filteredOn(asked -> asked.job().equals(job))
        .allSatisfy(asked -> assertThat(asked.actor()).isEqualTo("token:first"))
        .extracting(RecordingJobService.Asked::request)
        .containsExactly(
            new UserRequest.Pause(),
            new UserRequest.Resume(),
            new UserRequest.Cancel(),
            new UserRequest.Kill(),
            new UserRequest.Retune(),
            new UserRequest.Try(Setting.of(Map.of("learningRate", 0.5))));
    assertThat(server.post(path + "/branches", "{\"setting\":{}}").status()).isEqualTo(400);
    assertThat(server.post(path + "/branches", "{\"setting\":{\"a\":null}}").status())
        .isEqualTo(422);
  }

  @Test
  void actionOnAnOlderVersionIsRefused() {
    String path = "/api/v1/jobs/" + server.newJob();
    String tag = server.get(path).header("etag");

    assertThat(server.post(path + "/pause", "", "If-Match", "\"999\"").status()).isEqualTo(412);
    assertThat(server.post(path + "/pause", "", "If-Match", tag).status()).isEqualTo(202);
    assertThat(server.post(path + "/pause", "", "If-Match", "*").status()).isEqualTo(202);
  }

  @Test
  void progressIsSeenByWhoHasAnOlderTagAndHindersNoAction() {
    String job = server.newJob();
    String path = "/api/v1/jobs/" + job;
    var log = server.bean(EventLog.class);
    log.append(new Commit(job, 1, List.of(), List.of(branch(0, BranchKind.MAINLINE)), List.of()));
    String tag = server.get(path).header("etag");
    assertThat(server.send(server.request(path).header("If-None-Match", tag)).status())
        .isEqualTo(304);

    var progress = new SessionEvent.Progressed(1, BranchId.ROOT, 1, List.of(0.25), List.of(0.5));
    log.append(
        new Commit(
            job, 1, List.of(progress), List.of(), List.of(new MetricPoint(0, 1, 0.5, 0.25))));

    Answer later = server.send(server.request(path).header("If-None-Match", tag));
    assertThat(later.status()).isEqualTo(200);
    assertThat(later.json().get("loss").asDouble()).isEqualTo(0.25);
    assertThat(server.post(path + "/pause", "", "If-Match", tag).status()).isEqualTo(202);
    log.append(new Commit(job, 2, List.of(), List.of(branch(1, BranchKind.TRIAL)), List.of()));
    assertThat(server.post(path + "/pause", "", "If-Match", tag).status()).isEqualTo(412);
  }

  @Test
  void recordingIsSentInPartsAndWhole() throws Exception {
    String job = server.newJob();
    List<Double> many = Collections.nCopies(150_000, 0.1);
    List<SessionEvent> events = new ArrayList<>();
    events.add(new SessionEvent.WorkersReady(0, 1, 1, 100, 1));
    for (int i = 0; i < 1200; i++) {
      List<Double> clocks = i % 300 == 7 ? many : List.of(i + 0.5);
      events.add(new SessionEvent.Progressed(i, new BranchId(9), i * 100_000L, clocks, clocks));
    }
    List<SessionEffect> decisions = new ArrayList<>();
    for (int i = 0; i < 1100; i++) {
      decisions.add(
          new SessionEffect.Decide(
              new Decision("key " + i, "rule", "outcome", "policy", 0, Map.of())));
    }
    server.bean(EventLog.class).append(new Commit(job, 1, events, decisions, List.of()));

    Answer answer = server.get("/api/v1/jobs/" + job + "/recording");
    Recording recording = new RecordingCodec().read(new StringReader(answer.body()), "test");

    assertThat(answer.header("content-type")).startsWith("application/x-ndjson");
    assertThat(answer.header("content-disposition")).contains(job + ".ndjson");
    assertThat(recording.events()).isEqualTo(events);
    assertThat(recording.decisions()).extracting(Decision::key).hasSize(1100).endsWith("key 1099");
    var queries = server.bean(JobQueries.class);
    assertThat(queries.events(job, 0, 1201)).as("a large one ends a part").hasSize(9);
    assertThat(queries.events(job, 9, 1201)).hasSizeBetween(250, 500);
    assertThat(queries.events(job, 1200, 1201)).containsExactly(events.getLast());
    assertThat(server.get("/api/v1/jobs/job_0/recording").status()).isEqualTo(404);
  }

  @Test
  void aRecordingThatCannotGoOnIsBrokenOff() {
    String job = server.newJob();
    List<SessionEvent> events = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      events.add(new SessionEvent.WorkersLost(i, 1, "a reason that fills buffers " + i));
    }
    server.bean(EventLog.class).append(new Commit(job, 1, events, List.of(), List.of()));
    server
        .bean(JdbcTemplate.class)
        .update("delete from session_event where job_id = ? and sequence > 700", job);

    assertThatThrownBy(() -> server.get("/api/v1/jobs/" + job + "/recording"))
        .isInstanceOf(UncheckedIOException.class);
  }

  @Test
  void fewLargeAnswersAreGivenAtATime() throws Exception {
    String job = server.newJob();
    String recording = "/api/v1/jobs/" + job + "/recording";
    String logs = "/api/v1/jobs/" + job + "/logs";
    whileGiven(
        LargeAnswers.AT_A_TIME,
        () -> {
          assertThat(server.get(recording).status()).isEqualTo(429);
          assertThat(server.get(logs).json().get("detail").asString())
              .contains("recordings and logs are being sent");
        });

    assertThat(server.get(recording).status()).isEqualTo(200);
    assertThat(server.get(logs).status()).isEqualTo(200);
  }

  private void whileGiven(int answers, LargeAnswers.Writing work) throws IOException {
    server.bean(LargeAnswers.class).give(answers == 1 ? work : () -> whileGiven(answers - 1, work));
  }

  @Test
  void keysOfAJobFileAreTexts() {
    var yaml = new StringBuilder("a0: &a0 " + "x".repeat(1000) + "\n");
    yaml.append("program: toy\n? [");
    for (int i = 0; i < 900; i++) {
      yaml.append("*a0, ");
    }
    yaml.append("]\n: 1\n");

    Answer answer = server.send(yaml(yaml.toString()));
    Answer nested = server.send(yaml("program: toy\ntunables:\n  ? [1, 2]\n  : 3\n"));
    Answer argument = server.send(yaml("program: toy\narguments: { ? {a: 1} : 3 }\n"));

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("detail").asString()).contains("keys must be texts");
    for (Answer one : List.of(nested, argument)) {
      assertThat(one.status()).isEqualTo(422);
      assertThat(one.json().get("errors").toString()).contains("keys must be texts but one is");
    }
  }

  private HttpRequest.Builder yaml(String text) {
    return server
        .request("/api/v1/jobs?dryRun=true")
        .header("Content-Type", "application/yaml")
        .POST(BodyPublishers.ofString(text));
  }

  @Test
  void historyIsShown() {
    String job = jobWithHistory();
    String path = "/api/v1/jobs/" + job;

    assertThat(server.get(path + "/branches").json().get("items")).hasSize(2);
    assertThat(server.get(path + "/branches/1").json().get("kind").asString()).isEqualTo("TRIAL");
    assertThat(server.get(path + "/branches/9").status()).isEqualTo(404);
    assertThat(server.get(path + "/tree").json().get("branches")).hasSize(2);
    assertThat(server.get(path + "/rounds").json().get("items")).isEmpty();
    assertThat(server.get(path + "/decisions").json().get("items")).isEmpty();
    assertThat(server.get(path + "/evaluations").json().get("items").get(0).get("metrics"))
        .hasToString("{\"accuracy\":null}");
    var metrics = server.get(path + "/branches/0/metrics?points=2").json();
    assertThat(metrics.get("buckets")).hasSize(2);
    assertThat(metrics.get("buckets").get(1).get("nonFinite").asInt()).isEqualTo(1);
    assertThat(server.get(path + "/branches/0/metrics?points=0").status()).isEqualTo(400);
  }

  @Test
  void modelThatIsNotThereIsSaidInWords() {
    String path = "/api/v1/jobs/" + server.newJob() + "/model";

    assertThat(server.get(path).json().get("detail").asString()).contains("has no result yet");
    Answer unknown = server.get(path + "?snapshot=3");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.json().get("detail").asString()).contains("there is no snapshot 3");
  }

  @Test
  void wrongStateNamesThoseThatAre() {
    Answer answer = server.get("/api/v1/jobs?state=BLA");

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("detail").asString())
        .startsWith("state must be one of QUEUED, ")
        .endsWith(" but is BLA");
  }

  @Test
  void scheduleIsExported() {
    String job = "/api/v1/jobs/" + jobWithHistory();
    String path = job + "/schedule";

    assertThat(server.get(job).json().get("result").toString())
        .isEqualTo("{\"start\":1,\"branch\":1,\"clock\":9,\"epoch\":0.4,\"value\":null}");
    assertThat(server.get(path).json().get("steps")).hasSize(2);
    assertThat(server.get(path + "?format=csv").body())
        .isEqualTo(
            "fromClock,cooldownFromClock,cooldownUntilClock,learningRate\r\n"
                + "0,,,0.1\r\n4,6,9,0.1\r\n");
    assertThat(server.get(path + "?format=java").body())
        .contains("public static double learningRate(long clock)", "if (clock >= 4L)")
        .contains("return 0.1 * cooldown(clock, 6L, 9L);", "return 0.1;");
    assertThat(server.get(path).json().get("result").toString())
        .isEqualTo(
            """
            {"start":1,"clock":9,"epoch":0.4,"steps":[\
            {"fromClock":0,"setting":{"learningRate":0.1},"cooldown":null},\
            {"fromClock":4,"setting":{"learningRate":0.1},\
            "cooldown":{"fromClock":6,"untilClock":9}}]}\
            """);
    assertThat(server.get(path + "?format=xml").status()).isEqualTo(400);
  }

  @Test
  void logsAreTailed() throws Exception {
    String job = server.newJob();
    Path first = Files.writeString(folder.resolve("worker-0.log"), "a\nb\nc\n");
    Path second = Files.writeString(folder.resolve("worker-1.log"), "d\n");
    server.bean(Doubles.LogFiles.class).put(job, List.of(first, second));

    Answer answer = server.get("/api/v1/jobs/" + job + "/logs?tail=2");

    assertThat(answer.header("content-type")).isEqualTo("text/plain;charset=UTF-8");
    assertThat(answer.body()).isEqualTo("==> worker-0.log <==\nb\nc\n==> worker-1.log <==\nd\n");
  }

  @Test
  void programsAndServerAreDescribed() {
    assertThat(server.get("/api/v1/programs").body())
        .contains("\"name\":\"toy\"", "\"type\":\"log\"");
    assertThat(server.get("/api/v1/programs/toy").status()).isEqualTo(200);
    assertThat(server.get("/api/v1/programs/other").status()).isEqualTo(404);
    assertThat(server.get("/api/v1/job-schema").json().get("properties").propertyNames())
        .contains("program", "tunables");
    assertThat(server.get("/api/v1/version").json().get("api").asString()).isEqualTo("v1");
    assertThat(server.get("/api/v1/me").json().get("actor").asString()).isEqualTo("token:first");
    assertThat(server.get("/api/v1/openapi.json").json().get("paths").propertyNames())
        .contains("/api/v1/jobs", "/api/v1/jobs/{job}/events", "/api/v1/tokens");
  }

  @Test
  void openApiTellsTheCodesThatAreAnswered() {
    JsonNode document = server.get("/api/v1/openapi.json").json();
    assertThat(codes(document, "/jobs", "post")).containsExactlyInAnyOrder("201", "200", "default");
    assertThat(codes(document, "/jobs", "get")).containsExactlyInAnyOrder("200", "default");
    for (String action : List.of("pause", "kill", "rounds", "branches/{branch}/keep")) {
      assertThat(codes(document, "/jobs/{job}/" + action, "post"))
          .as(action)
          .containsExactlyInAnyOrder("202", "default");
    }
    assertThat(codes(document, "/tokens", "post")).containsExactlyInAnyOrder("201", "default");
    assertThat(codes(document, "/tokens/{token}", "delete"))
        .containsExactlyInAnyOrder("204", "default");
    assertThat(codes(document, "/session", "delete")).containsExactlyInAnyOrder("204", "default");
    assertThat(codes(document, "/sign-in-codes", "post"))
        .containsExactlyInAnyOrder("201", "default");
    assertThat(
            document
                .at("/paths/~1api~1v1~1version/get/responses/default/content")
                .at("/application~1problem+json/schema/$ref")
                .asString())
        .isEqualTo("#/components/schemas/ProblemView");
    assertThat(document.at("/components/schemas/ProblemView/properties").propertyNames())
        .contains("code", "detail", "errors", "status");
  }

  @Test
  void theDocumentNamesEveryRoute() throws IOException {
    String text =
        Files.readString(Path.of(System.getProperty("espalier.home.dist"), "docs/REST.md"));
    var documented =
        Pattern.compile("`((?:GET|POST|DELETE) /[^`?]*)`")
            .matcher(text.substring(text.indexOf("## Routes")))
            .results()
            .map(match -> match.group(1))
            .collect(Collectors.toCollection(TreeSet::new));

    JsonNode paths = server.get("/api/v1/openapi.json").json().get("paths");
    var routes = new TreeSet<String>();
    for (String path : paths.propertyNames()) {
      for (String method : paths.get(path).propertyNames()) {
        routes.add(method.toUpperCase(Locale.ROOT) + " " + path.replace("/api/v1", ""));
      }
    }
    // A page for browsers, which the document tells of beside its code.
    routes.remove("GET /sign-in");
    assertThat(documented).isEqualTo(routes);
  }

  private static Collection<String> codes(JsonNode document, String path, String method) {
    return document
        .path("paths")
        .path("/api/v1" + path)
        .path(method)
        .path("responses")
        .propertyNames();
  }

  private String jobWithHistory() {
    String job = server.newJob();
    server
        .bean(EventLog.class)
        .append(
            new Commit(
                job,
                1,
                List.of(),
                List.of(
                    branch(0, BranchKind.MAINLINE),
                    branch(1, BranchKind.TRIAL),
                    schedule(0, 0, 0, 0.1),
                    schedule(10, 0.5, 1, 0.01),
                    new SessionEffect.MainlineEvaluated(
                        BranchId.ROOT, 10, 0.5, 3, Map.of("accuracy", Double.NaN)),
                    new SessionEffect.ResultChanged(
                        1,
                        9,
                        0.4,
                        new BranchId(1),
                        Double.NaN,
                        List.of(
                            new JobPlan.ScheduleStep(0, RATE),
                            new JobPlan.ScheduleStep(4, RATE, Shape.linearToZero(6, 9))))),
                List.of(
                    new MetricPoint(0, 1, 0.5, 2),
                    new MetricPoint(0, 2, 1, 1),
                    new MetricPoint(0, 3, 1.5, Double.NaN),
                    new MetricPoint(0, 4, 2, 0.5))));
    return job;
  }

  private static SessionEffect schedule(long clock, double epoch, int branch, double rate) {
    return new SessionEffect.ScheduleChanged(
        clock, epoch, Setting.of(Map.of("learningRate", rate)), new BranchId(branch));
  }

  private static SessionEffect branch(int number, BranchKind kind) {
    return new SessionEffect.BranchChanged(
        new BranchId(number),
        number == 0 ? Optional.empty() : Optional.of(BranchId.ROOT),
        kind,
        0,
        Setting.of(Map.of("learningRate", 0.1)),
        BranchState.RUNNING,
        TrainingStart.FIRST,
        0,
        0,
        0,
        Optional.empty(),
        Double.NaN,
        Optional.empty(),
        Optional.empty());
  }

  private Answer dryRun(String data) {
    return server.post(
        "/api/v1/jobs?dryRun=true", "{\"program\":\"toy\",\"data\":\"" + data + "\"}");
  }

  private static String id(Answer answer) {
    return answer.json().get("id").asString();
  }

  private static List<String> ids(Answer answer) {
    List<String> ids = new ArrayList<>();
    answer.json().get("items").forEach(item -> ids.add(item.get("id").asString()));
    return ids;
  }
}
