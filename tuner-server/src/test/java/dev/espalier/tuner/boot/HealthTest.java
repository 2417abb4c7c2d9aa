package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.app.port.Stalls;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What a monitor sees of a server whose jobs stand still.
class HealthTest {
  private static final String JOB = "job_stalled";

  private final TestServer server = TestServer.get();
  private final Stalls stalls = server.bean(Stalls.class);

  @AfterEach
  void mend() {
    stalls.remove(JOB);
  }

  @Test
  void jobsWhoseLogCannotBeWrittenAreTold() {
    stalls.put(JOB, "the database has no room left on its disk", Instant.now());

    var health = server.get("/actuator/health").json().path("components").path("jobs");
    assertThat(health.path("status").asString()).isEqualTo("DOWN");
    assertThat(health.path("details").path("stalled").path(JOB).asString()).contains("no room");
    assertThat(server.get("/actuator/prometheus").body()).contains("espalier_jobs_stalled{", "} 1");
    assertThat(server.get("/actuator/health/readiness").status())
        .as("who looks at jobs can be served")
        .isEqualTo(200);

    stalls.remove(JOB);
    assertThat(server.get("/actuator/health").json().path("components").path("jobs").path("status"))
        .hasToString("\"UP\"");
  }

  @Test
  void roomOfTheHomeIsMeasured() {
    var room = server.get("/actuator/health").json().path("components").path("diskSpace");

    assertThat(room.path("details").path("path").asString()).contains(server.home().toString());
    assertThat(server.get("/actuator/prometheus").body())
        .contains("disk_free_bytes{")
        .contains("path=\"" + server.home());
  }
}
