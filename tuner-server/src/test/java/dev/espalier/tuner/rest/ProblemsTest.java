package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.tuner.boot.TestServer;
import dev.espalier.tuner.boot.TestServer.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ProblemsTest {
  private final TestServer server = TestServer.get();

  @Test
  void requestThatCannotBeReadIs400() {
    Answer json = server.post("/api/v1/jobs", "{\"name\":");
    Answer yaml =
        server.send(
            server
                .request("/api/v1/jobs")
                .header("Content-Type", "application/yaml")
                .POST(BodyPublishers.ofString("a: [1")));
    Answer list = server.post("/api/v1/jobs", "[1]");
    Answer twice = server.post("/api/v1/jobs", "{\"name\":1,\"name\":2}");
    Answer tag =
        server.send(
            server
                .request("/api/v1/jobs")
                .header("Content-Type", "application/yaml")
                .POST(BodyPublishers.ofString("a: !!java.io.File x")));
    Answer number = server.get("/api/v1/jobs?pageSize=many");

    for (Answer answer : new Answer[] {json, yaml, list, twice, tag, number}) {
      requireProblem(answer, 400, "INVALID_REQUEST");
    }
    assertThat(json.json().get("detail").asString())
        .contains("line 1")
        .doesNotContain("REDACTED", "Source");
    assertThat(server.post("/api/v1/jobs", "{").json().get("detail").asString())
        .contains("line 1")
        .doesNotContain("REDACTED", "Source");
    assertThat(number.json().get("errors").get(0).get("rejected").asString()).isEqualTo("many");
  }

  @Test
  void bodyIsToldOfByItsFields() {
    String branches = "/api/v1/jobs/" + server.newJob() + "/branches";
    Answer text = server.post(branches, "{\"setting\": {\"learningRate\": \"fast\"}}");
    Answer list = server.post(branches, "{\"setting\": [1]}");
    Answer broken = server.post(branches, "{\"setting\": ");

    for (Answer answer : new Answer[] {text, list, broken}) {
      requireProblem(answer, 400, "INVALID_REQUEST");
    }
    assertThat(detail(text)).isEqualTo("setting.learningRate must be a number but is fast");
    assertThat(text.json().get("errors").get(0).get("pointer").asString())
        .isEqualTo("/setting/learningRate");
    assertThat(text.json().get("errors").get(0).get("rejected").asString()).isEqualTo("fast");
    assertThat(detail(list)).isEqualTo("setting must be an object");
    assertThat(detail(broken))
        .isEqualTo("the body is not a JSON object that can be read (line 1, column 13)");
    assertThat(detail(server.post(branches, ""))).isEqualTo("the body is missing");
    assertThat(detail(server.get("/api/v1/jobs?pageSize=99999999999")))
        .isEqualTo(
            "pageSize must be a whole number from -2147483648 to 2147483647 but is 99999999999");
  }

  private static String detail(Answer answer) {
    return answer.json().get("detail").asString();
  }

  @Test
  void addressThatTheWebServerCannotDecodeIs400() {
    requireProblem(server.get("/api/v1/jobs/%00"), 400, "INVALID_REQUEST");
    requireProblem(server.send(server.anonymous("/%00")), 400, "INVALID_REQUEST");
  }

  @Test
  void requestWithoutValidTokenIs401() {
    Answer none = server.send(server.anonymous("/api/v1/jobs"));
    Answer wrong =
        server.send(server.anonymous("/api/v1/jobs").header("Authorization", "Bearer esp_no"));
    Answer basic =
        server.send(server.anonymous("/api/v1/jobs").header("Authorization", "Basic YTpi"));

    for (Answer answer : new Answer[] {none, wrong, basic}) {
      requireProblem(answer, 401, "UNAUTHENTICATED");
      assertThat(answer.header("www-authenticate")).isEqualTo("Bearer");
    }
  }

  @Test
  void unknownRouteJobOrFormOfIdIs404() {
    requireProblem(server.get("/api/v1/nothing"), 404, "NOT_FOUND");
    assertThat(server.get("/x/api/v1/jobs").json().get("detail").asString())
        .isEqualTo("there is nothing at /x/api/v1/jobs; the API begins at /api/v1");
    requireProblem(server.get("/nothing.css"), 404, "NOT_FOUND");
    requireProblem(server.get("/api/v1/jobs/job_none"), 404, "NOT_FOUND");
    requireProblem(server.get("/api/v1/jobs/a-b"), 404, "NOT_FOUND");
    requireProblem(server.get("/api/v1/jobs/job_none/branches"), 404, "NOT_FOUND");
    requireProblem(server.get("/api/v1/jobs/job_none/events"), 404, "NOT_FOUND");
    requireProblem(server.post("/api/v1/jobs/job_none/pause", ""), 404, "NOT_FOUND");
  }

  @Test
  void wrongMethodIs405() {
    Answer answer = server.send(server.request("/api/v1/jobs").DELETE());

    requireProblem(answer, 405, "INVALID_REQUEST");
    assertThat(answer.header("allow")).contains("GET");
  }

  @Test
  void answerInAnotherFormIs406() {
    requireProblem(
        server.send(server.request("/api/v1/jobs").header("Accept", "image/png")),
        406,
        "INVALID_REQUEST");
  }

  @Test
  void wrongStateIs409() {
    String path = "/api/v1/jobs/" + server.newJob() + "/pause";

    server
        .bean(RecordingJobService.class)
        .failingWith(
            ErrorCode.WRONG_STATE, () -> requireProblem(server.post(path, ""), 409, "WRONG_STATE"));
  }

  @Test
  void olderVersionIs412() {
    String path = "/api/v1/jobs/" + server.newJob() + "/pause";

    requireProblem(server.post(path, "", "If-Match", "\"0\""), 412, "VERSION_MISMATCH");
  }

  @Test
  void largeBodyIs413() {
    String large = "{\"name\":\"" + "x".repeat(UnsafeRequestFilter.MAX_BODY_BYTES) + "\"}";

    requireProblem(server.post("/api/v1/jobs", large), 413, "INVALID_REQUEST");
  }

  @Test
  void otherKindOfBodyIs415() {
    requireProblem(
        server.send(
            server
                .request("/api/v1/jobs")
                .header("Content-Type", "text/html")
                .POST(BodyPublishers.ofString("<p>"))),
        415,
        "INVALID_REQUEST");
  }

  @Test
  void badJobFileIs422() {
    requireProblem(server.post("/api/v1/jobs", "{}"), 422, "INVALID_JOB");
  }

  @Test
  void failureOfTheServerIs500WithoutItsInside() {
    RecordingJobService service = server.bean(RecordingJobService.class);
    service.onSubmit(() -> {
      throw new IllegalStateException("secret inside");
    });
    try {
      Answer answer = server.post("/api/v1/jobs", "{\"program\":\"toy\"}");
      requireProblem(answer, 500, "INTERNAL");
      assertThat(answer.body()).doesNotContain("secret inside");
    } finally {
      service.onSubmit(() -> {});
    }
  }

  @Test
  void databaseAwayIs503() {
    String path = "/api/v1/jobs/" + server.newJob() + "/pause";

    server
        .bean(RecordingJobService.class)
        .failingWith(
            ErrorCode.DATABASE_AWAY,
            () -> {
              Answer answer = server.post(path, "");
              requireProblem(answer, 503, "DATABASE_AWAY");
              assertThat(answer.header("retry-after")).isEqualTo("2");
            });
  }

  @Test
  void aWrongParameterIsNamedWithItsValue() {
    String job = "/api/v1/jobs/" + server.newJob();

    requireNamed(server.get("/api/v1/jobs?pageSize=0"), "/pageSize", "0");
    requireNamed(server.get("/api/v1/jobs?pageToken=none"), "/pageToken", "none");
    requireNamed(server.get(job + "/branches?kind=TWIG"), "/kind", "TWIG");
    requireNamed(server.get(job + "/schedule?format=xml"), "/format", "xml");
    requireNamed(server.post(job + "/pause", "", "If-Match", "7"), "/If-Match", "7");
    requireNamed(server.post("/api/v1/tokens", "{\"name\":\"a b\"}"), "/name", "a b");
  }

  private static void requireNamed(Answer answer, String pointer, String value) {
    requireProblem(answer, 400, "INVALID_REQUEST");
    JsonNode error = answer.json().get("errors").get(0);
    assertThat(error.get("pointer").asString()).isEqualTo(pointer);
    assertThat(error.get("rejected").asString()).isEqualTo(value);
    assertThat(error.get("message").asString()).contains(pointer.substring(1)).contains(value);
  }

  private static void requireProblem(Answer answer, int status, String code) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.header("content-type")).isEqualTo("application/problem+json");
    Map<String, String> fields = new java.util.TreeMap<>();
    answer.json().properties().forEach(field -> fields.put(field.getKey(), field.getValue() + ""));
    assertThat(fields)
        .containsKeys("type", "title", "status", "detail", "instance", "code", "traceId", "errors");
    assertThat(answer.json().get("code").asString()).isEqualTo(code);
    assertThat(answer.json().get("status").asInt()).isEqualTo(status);
    assertThat(answer.json().get("traceId").asString())
        .matches("[0-9a-f]{32}")
        .isEqualTo(answer.header("x-trace-id"));
    assertThat(answer.json().get("detail").asString()).isNotBlank();
  }
}
