package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.app.TunerInMemory;
import dev.espalier.tuner.app.TunerInMemory.Trained;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.launch.DescribedPrograms;
import dev.espalier.tuner.launch.WorkerCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/// The program of docs/TUTORIAL.md is compiled, described, and trained under the tuner.
@Timeout(300)
class TutorialTest {
  @TempDir private Path folder;

  @Test
  void programIsAsShortAsThePageSays() throws Exception {
    Tutorial tutorial = Tutorial.read();

    assertThat(tutorial.programLines()).isLessThanOrEqualTo(45);
    assertThat(tutorial.text()).contains("One class of " + tutorial.programLines() + " lines");
  }

  @Test
  void programTrainsUnderTheTuner() throws Exception {
    Tutorial tutorial = Tutorial.read();
    try (var loader = Tutorial.loader(tutorial.jar(folder))) {
      Trained trained =
          TunerInMemory.train(
              tutorial.job("own-fit"),
              () -> Tutorial.programs(loader).getFirst(),
              folder.resolve("checkpoints"));

      assertThat(trained.state()).isEqualTo(JobState.COMPLETED);
      assertThat(trained.decisions()).extracting(Decision::rule).contains("racing.adopt");
      double first = 0.5 * (3 * 3 + 2 * 2);
      assertThat(trained.result().get("loss"))
          .as("loss of a model whose zeros have a loss of about %s", first)
          .isLessThan(0.01);
    }
  }

  @Test
  void serverFindsTheJarByItsName() throws Exception {
    Path jar = Tutorial.read().jar(folder);
    var command =
        new WorkerCommand(
            Path.of(System.getProperty("java.home"), "bin", "java"),
            Tutorial.productClassPath(),
            List.of("-Xmx200m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    Path undeclared = jar.resolveSibling("undeclared.jar");
    try (var out = new JarOutputStream(Files.newOutputStream(undeclared))) {
      out.putNextEntry(new JarEntry("META-INF/services/dev.espalier.sdk.TrainingProgam"));
    }
    var said = new ListAppender<ILoggingEvent>();
    said.start();
    var log = (Logger) LoggerFactory.getLogger(DescribedPrograms.class);
    log.addAppender(said);

    var programs = new DescribedPrograms(command, jar.getParent());

    assertThat(programs.find("line-fit"))
        .hasValueSatisfying(program -> {
          assertThat(program.summary()).isEqualTo("Fits a line to points.");
          assertThat(program.needsData()).isFalse();
          assertThat(program.tunables())
              .extracting(Tunable::name)
              .containsExactly(Tunable.LEARNING_RATE, Tunable.BATCH_SIZE);
          assertThat(program.validation()).extracting(MetricSpec::name).containsExactly("loss");
        });
    assertThat(programs.find("mlp")).as("a built-in program").isPresent();
    log.detachAppender(said);
    assertThat(said.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .contains(
            "jar="
                + undeclared
                + " left out: it declares no program in"
                + " META-INF/services/dev.espalier.sdk.TrainingProgram");
  }

  @Test
  void serverRunsTheJarInWorkersOfItsOwn() throws Exception {
    Tutorial tutorial = Tutorial.read();
    tutorial.jar(folder);
    try (var server = ServerProcess.start(folder)) {
      JsonNode job = server.awaitEnd(server.submit(tutorial.jobFile("first-fit")));

      assertThat(job.path("state").asString()).as("%s", job).isEqualTo("COMPLETED");
      assertThat(job.path("metrics").path("loss").asDouble()).isLessThan(0.01);
    }
  }
}
