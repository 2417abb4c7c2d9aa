package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.EventPublisher;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.boot.TestServer;
import dev.espalier.tuner.core.session.SessionEffect;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EventStreamTest {
  private final TestServer server = TestServer.get();
  private final EventHub hub = server.bean(EventHub.class);

  @Test
  void streamBeginsWithASnapshotAndGoesOnWithEvents() throws Exception {
    String job = server.newJob();
    change(job, "one");
    try (var stream = open(job, null)) {
      Map<String, String> snapshot = stream.next();
      change(job, "two");
      Map<String, String> event = stream.next();

      assertThat(stream.answer.headers().firstValue("x-accel-buffering")).hasValue("no");
      assertThat(stream.answer.headers().firstValue("content-type").orElse(""))
          .startsWith("text/event-stream");
      assertThat(snapshot).containsEntry("event", "snapshot").containsEntry("id", "1");
      assertThat(snapshot.get("data")).contains("\"message\":\"one\"", "\"branches\":[]");
      assertThat(event).containsEntry("event", "job.changed").containsEntry("id", "2");
      assertThat(event.get("data")).contains("\"message\":\"two\"", "\"sequence\":2");
    }
    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .untilAsserted(() -> {
          publish(job, 0);
          assertThat(hub.viewers(job)).isZero();
        });
  }

  @Test
  void returningViewerGetsWhatItMissedInPlaceOfTheSnapshot() throws Exception {
    String job = server.newJob();
    for (String message : List.of("one", "two", "three")) {
      change(job, message);
    }
    try (var stream = open(job, "1")) {
      assertThat(stream.next()).containsEntry("id", "2").containsEntry("event", "job.changed");
      assertThat(stream.next()).containsEntry("id", "3");
      assertThat(stream.next())
          .as("that the job goes on may be what was missed")
          .containsEntry("event", "job.stalled")
          .hasEntrySatisfying("data", data -> assertThat(data).contains("\"data\":{}"));
      change(job, "four");
      assertThat(stream.next()).containsEntry("id", "4");
    }
    try (var stream = open(job, "99")) {
      assertThat(stream.next()).containsEntry("event", "snapshot").containsEntry("id", "4");
    }
  }

  @Test
  void whoeverComesLearnsThatTheJobStandsStill() throws Exception {
    String job = server.newJob();
    change(job, "one");
    Stalls stalls = server.bean(Stalls.class);
    stalls.put(job, "no room", Instant.EPOCH);
    String told = "\"stall\":{\"since\":\"1970-01-01T00:00:00Z\",\"reason\":\"no room\"}";
    try (var first = open(job, null);
        var returning = open(job, "1")) {
      assertThat(first.next().get("data")).contains("\"snapshot\"", told);
      assertThat(returning.next())
          .containsEntry("event", "job.stalled")
          .doesNotContainKey("id")
          .hasEntrySatisfying("data", data -> assertThat(data).contains(told));
    } finally {
      stalls.remove(job);
    }
    assertThat(server.get("/api/v1/jobs/" + job).json().get("stall").isNull()).isTrue();
  }

  @Test
  void eventsThatAreNotKeptHaveNoId() throws Exception {
    String job = server.newJob();
    try (var stream = open(job, null)) {
      stream.next();
      publish(job, 0);

      assertThat(stream.next()).containsEntry("event", "metric.window").doesNotContainKey("id");
    }
  }

  @Test
  void keptEventsCanBePolled() {
    String job = server.newJob();
    change(job, "one");
    change(job, "two");

    var first = server.get("/api/v1/jobs/" + job + "/events?since=0&limit=1").json();
    var second =
        server.get("/api/v1/jobs/" + job + "/events?since=" + first.get("next").asLong()).json();
    var last =
        server.get("/api/v1/jobs/" + job + "/events?since=" + second.get("next").asLong()).json();

    assertThat(first.get("items")).hasSize(1);
    assertThat(second.get("items").get(0).get("data").get("message").asString()).isEqualTo("two");
    assertThat(last.get("items")).isEmpty();
    assertThat(last.get("next").asLong()).isEqualTo(2);
  }

  @Test
  void streamGoesOnFromWhereAnOverviewWasRead() throws Exception {
    String job = server.newJob();
    change(job, "one");
    var overview = server.get("/api/v1/jobs/" + job + "/overview").json();
    change(job, "two");
    try (var stream = open(job, null, "?after=" + overview.get("sequence").asLong())) {
      assertThat(overview.get("views").get("job").get("message").asString()).isEqualTo("one");
      assertThat(stream.next()).containsEntry("event", "job.changed").containsEntry("id", "2");
    }
  }

  @Test
  void streamEndsWhenItsTokenIsRevoked() throws Exception {
    String job = server.newJob();
    var token = server.post("/api/v1/tokens", "{\"name\":\"brief\"}").json();
    var request =
        server
            .request("/api/v1/jobs/" + job + "/events")
            .setHeader("Authorization", "Bearer " + token.get("token").asString());
    try (var stream =
            new Stream(
                server.http().send(request.build(), HttpResponse.BodyHandlers.ofInputStream()));
        var other = open(job, null)) {
      stream.next();
      other.next();
      assertThat(
              server
                  .send(server.request("/api/v1/tokens/" + token.get("id").asString()).DELETE())
                  .status())
          .isEqualTo(204);

      assertThat(stream.next()).containsEntry("event", "resync");
      assertThat(stream.lines.readLine()).isNull();
      change(job, "one");
      assertThat(other.next()).containsEntry("event", "job.changed");
    }
  }

  @Test
  void viewerThatFallsBehindIsCutOffAndHoldsUpNobody() throws Exception {
    var alone = new EventHub();
    try (var slow = alone.subscribe("job_1", "tok_1");
        var quick = alone.subscribe("job_1", "tok_1")) {
      for (int i = 1; i <= EventHub.QUEUE_SIZE; i++) {
        alone.publish(List.of(event("job_1", i)));
        assertThat(quick.next(1)).isNotNull();
      }
      assertThat(slow.isCutOff()).isFalse();
      alone.publish(List.of(event("job_1", EventHub.QUEUE_SIZE + 1)));

      assertThat(slow.isCutOff()).isTrue();
      assertThat(quick.isCutOff()).isFalse();
      assertThat(alone.viewers()).isEqualTo(2);
    }
    assertThat(alone.viewers()).isZero();
  }

  @Test
  void eventsThatAreNotKeptAreLeftOutWhenAViewerIsSlow() throws Exception {
    var alone = new EventHub();
    try (var slow = alone.subscribe("job_1", "tok_1")) {
      for (int i = 0; i < 10_000; i++) {
        alone.publish(List.of(event("job_1", 0)));
      }
      alone.publish(List.of(event("job_1", 1)));
      int waiting = 0;
      StreamEvent event = slow.next(1);
      while (event != null && event.sequence() == 0) {
        waiting++;
        event = slow.next(1);
      }

      assertThat(waiting).isBetween(1, EventHub.QUEUE_SIZE);
      assertThat(event).isNotNull();
      assertThat(slow.isCutOff()).isFalse();
    }
  }

  @Test
  void oneTokenMayNotTakeAllPlaces() {
    EventHub hub = new EventHub();
    var viewers = new ArrayList<EventHub.Subscription>();
    for (int i = 0; i < EventHub.MAX_VIEWERS_OF_ONE; i++) {
      viewers.add(hub.subscribe("job_1", "tok_1"));
    }

    assertThatThrownBy(() -> hub.subscribe("job_2", "tok_1"))
        .hasMessageContaining("200 viewers are connected with this token");
    hub.subscribe("job_1", "tok_2").close();
    assertThat(hub.viewers()).isEqualTo(EventHub.MAX_VIEWERS_OF_ONE);
    viewers.forEach(EventHub.Subscription::close);
    hub.subscribe("job_2", "tok_1").close();
    assertThat(hub.viewers()).isZero();
  }

  private void change(String job, String message) {
    EventLog log = server.bean(EventLog.class);
    List<StreamEvent> events =
        log.append(
            new EventLog.Commit(
                job,
                1,
                List.of(),
                List.of(new SessionEffect.JobChanged(JobState.TRAINING, "test", message, "")),
                List.of()));
    server.bean(EventPublisher.class).publish(events);
  }

  private void publish(String job, long sequence) {
    hub.publish(List.of(event(job, sequence)));
  }

  private static StreamEvent event(String job, long sequence) {
    return new StreamEvent(job, sequence, "metric.window", Instant.EPOCH, Map.of("branch", 0));
  }

  private Stream open(String job, String lastEventId) throws IOException, InterruptedException {
    return open(job, lastEventId, "");
  }

  private Stream open(String job, String lastEventId, String query)
      throws IOException, InterruptedException {
    var request = server.request("/api/v1/jobs/" + job + "/events" + query);
    if (lastEventId != null) {
      request.header("Last-Event-ID", lastEventId);
    }
    return new Stream(
        server.http().send(request.build(), HttpResponse.BodyHandlers.ofInputStream()));
  }

  /// Reads one event after the other.
  private static final class Stream implements AutoCloseable {
    private final HttpResponse<java.io.InputStream> answer;
    private final BufferedReader lines;

    Stream(HttpResponse<java.io.InputStream> answer) {
      this.answer = answer;
      lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
    }

    /// {@return the fields of the next event}
    Map<String, String> next() throws IOException {
      assertThat(answer.statusCode()).isEqualTo(200);
      var fields = new TreeMap<String, String>();
      List<String> data = new ArrayList<>();
      while (true) {
        String line = lines.readLine();
        assertThat(line).as("stream ended").isNotNull();
        if (line.isEmpty()) {
          if (!data.isEmpty()) {
            fields.put("data", String.join("\n", data));
            return fields;
          }
        } else if (line.startsWith("data:")) {
          data.add(line.substring(5));
        } else if (line.indexOf(':') > 0) {
          fields.put(line.substring(0, line.indexOf(':')), line.substring(line.indexOf(':') + 1));
        }
      }
    }

    @Override
    public void close() throws IOException {
      lines.close();
    }
  }
}
