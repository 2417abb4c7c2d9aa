package dev.espalier.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class GoesOnTest {
  @Test
  void jobsThatHaveNotEndedAreTold() {
    var err = new ByteArrayOutputStream();
    try (var jobs = new GoesOn(new PrintStream(err, true, StandardCharsets.UTF_8))) {
      jobs.begun("job_1");
      jobs.begun("job_2");
      jobs.ended("job_1");

      jobs.tell();
    }

    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo("job_2 goes on; espalier job cancel job_2 ends it" + System.lineSeparator());
  }
}
