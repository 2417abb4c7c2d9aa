package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/// The program of docs/TUTORIAL.md is compiled, described, and trained under the tuner.
@Timeout(300)
class TutorialTest {
  /// A hundredth of that of zeros. What is found beyond depends on how many races a machine that is
  /// busy with other things leaves time for.
  private static final double GOOD_LOSS = 0.5 * (3 * 3 + 2 * 2) / 100;

  @TempDir static Path home;
  private static ServerProcess server;

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws Exception {
    server = ServerProcess.start(home);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

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
      assertThat(trained.result().get("loss")).isLessThan(GOOD_LOSS);
    }
  }

  @Test
  void serverFindsTheJarByItsName() throws Exception {
    var command =
        new WorkerCommand(
            Path.of(System.getProperty("java.home"), "bin", "java"),
            Tutorial.productClassPath(),
            List.of("-Xmx200m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    var said = new ListAppender<ILoggingEvent>();
    said.start();
    var log = (Logger) LoggerFactory.getLogger(DescribedPrograms.class);
    log.addAppender(said);

    Path jars = Files.createDirectories(folder.resolve("programs"));
    Path undeclared = jars.resolve("undeclared.jar");
    try (var out = new JarOutputStream(Files.newOutputStream(undeclared))) {
      out.putNextEntry(new JarEntry("META-INF/services/dev.espalier.sdk.TrainingProgam"));
    }
    var programs = new DescribedPrograms(command, jars);
    assertThat(programs.find("line-fit")).as("a program whose jar is not there yet").isEmpty();

    Files.writeString(jars.resolve("broken.jar"), "no jar");
    Path jar = Tutorial.read().jar(folder);

    assertThat(jar).hasParent(jars);
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

  /// As a reader's first job is run: the jar was there before the server, and no job before it.
  @Test
  void serverRunsTheJarInWorkersOfItsOwn() throws Exception {
    Tutorial tutorial = Tutorial.read();
    tutorial.jar(folder);
    try (var first = ServerProcess.start(folder)) {
      JsonNode job = first.awaitEnd(first.submit(tutorial.jobFile("first-fit")));

      assertThat(job.path("state").asString()).as("%s", job).isEqualTo("COMPLETED");
      assertThat(job.path("result").path("value").asDouble(1)).as("%s", job).isLessThan(GOOD_LOSS);

      Path model = folder.resolve("model.npz");
      var said = new StringBuilder();
      String id = job.path("id").asString();
      assertThat(first.espalier(said, "model", "export", id, model.toString()))
          .as("%s", said)
          .isZero();
      assertThat(lastTwo(model, "line.npy"))
          .as("slope and intercept")
          .satisfies(line -> assertThat(line.get(0)).isCloseTo(3, within(0.35f)))
          .satisfies(line -> assertThat(line.get(1)).isCloseTo(2, within(0.35f)));
      said.setLength(0);
      assertThat(first.espalier(said, "model", "export", id, model.toString(), "--snapshot", "99"))
          .isEqualTo(4);
      assertThat(said.toString()).contains("there is no snapshot 99", "snapshots on the disk: [");
    }
  }

  @Test
  void checkTellsARightProgramFromAWrongOne() throws Exception {
    var said = new StringBuilder();
    Path right = Tutorial.read().jar(folder);
    assertThat(ServerProcess.command(folder, said, "program", "check", right.toString()))
        .as("%s", said)
        .isZero();
    assertThat(said.toString()).contains("ok    a fork goes on as its parent does", ", 0 wrong,");

    said.setLength(0);
    Path wrong =
        Tutorial.read()
            .withEdit("new Random(environment.seed())", "new Random()")
            .jar(folder.resolve("wrong"));
    assertThat(ServerProcess.command(folder, said, "program", "check", wrong.toString()))
        .as("%s", said)
        .isEqualTo(11);
    assertThat(said.toString()).contains("WRONG the same seed is the same run");

    said.setLength(0);
    assertThat(
            ServerProcess.command(
                folder, said, "program", "check", right.toString(), "--set", "rank=3"))
        .isEqualTo(3);
    assertThat(said.toString())
        .contains("program line-fit has neither an argument nor a tunable rank");
  }

  @Test
  void checkTakesProgramArgumentsAndSettingFromAJobFile() throws Exception {
    var said = new StringBuilder();
    Path job = folder.resolve("job.yaml");
    Files.writeString(
        job,
        """
        program: mf
        arguments: { rank: 2 }
        seed: 7
        tunables: { batchSize: { type: choice, values: [100, 200], default: 200 } }
        stop: { maxEpochs: 1 }
        """);
    assertThat(check(said, "--job", job.toString(), "--set", "l2=0.2")).as("%s", said).isZero();
    assertThat(said.toString())
        .contains("users 800 x 3 by adagrad", "5 clocks twice with seed 7")
        .contains("clocks of 200 and 256 samples");

    Files.writeString(
        job,
        """
        program: mf
        arguments: { rank: none }
        data: ratings
        tunables: { batchSize: 12 }
        stop: { maxEpochs: -1 }
        """);
    assertThat(check(said, "--job", job.toString())).isEqualTo(4);
    assertThat(said.toString())
        .contains("the job's data ratings are not at " + folder.toAbsolutePath(), "--data");
    assertThat(check(said, "--job", job.toString(), "--data", folder.toString())).isEqualTo(3);
    assertThat(said.toString())
        .contains("the job file has problems:")
        .contains("/arguments/rank", "/tunables/batchSize", "/stop/maxEpochs");
    assertThat(check(said, "--job", job.toString(), "--data", folder.toString(), "--program", "fm"))
        .isEqualTo(3);
    assertThat(said.toString()).contains("the job file's program is mf, and not fm");

    Path needy = Tutorial.read().withLongDescription().jar(folder.resolve("needy"));
    assertThat(check(said, needy.toString())).isEqualTo(3);
    assertThat(said.toString()).contains("the program word-vectors needs a data folder", "--data");
  }

  @Test
  void checkThatTakesTooLongLeavesNothingBehind() throws Exception {
    Path scratch = Files.createDirectories(folder.resolve("scratch"));
    Path slow =
        Tutorial.read()
            .withEdit(
                "var gradient = new float[2];",
                """
                var gradient = new float[2];
                try {
                  Thread.sleep(600_000);
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                """)
            .jar(folder.resolve("slow"));
    var said = new StringBuilder();
    assertThat(
            ServerProcess.command(
                folder,
                Map.of("JDK_JAVA_OPTIONS", "-Djava.io.tmpdir=" + scratch),
                said,
                "program",
                "check",
                slow.toString(),
                "--timeout",
                "5"))
        .isEqualTo(11);
    assertThat(said.toString()).contains("no answer to check within 5 s");
    try (Stream<Path> left = Files.list(scratch)) {
      assertThat(left.map(Path::getFileName).map(Path::toString))
          .noneMatch(name -> name.startsWith("espalier-check-"));
    }
  }

  private int check(StringBuilder said, String... options) throws Exception {
    said.setLength(0);
    return ServerProcess.command(
        folder,
        said,
        Stream.concat(Stream.of("program", "check"), Stream.of(options)).toArray(String[]::new));
  }

  /// The first worker to come to clock 30 hangs there, once.
  @Test
  void workerThatHangsIsReplaced() throws Exception {
    Path marker = folder.resolve("hung");
    Tutorial.read()
        .withEdit(
            "var gradient = new float[2];",
            """
            var gradient = new float[2];
            if (context.clock() == 30 && new java.io.File("%s").mkdir()) {
              while (true) {
                Thread.onSpinWait();
              }
            }
            """
                .formatted(marker))
        .jar(home);
    String id =
        server.submit(
            """
            name: hangs
            program: line-fit
            workers: 2
            tuning: { policy: fixed, setting: { learningRate: 0.1 } }
            stop: { maxEpochs: 4 }
            limits: { clockTimeout: 2s }
            """);
    JsonNode job = server.awaitEnd(id);

    assertThat(job.path("state").asString()).as("%s", job).isEqualTo("COMPLETED");
    assertThat(job.path("generation").asInt()).isEqualTo(2);
    assertThat(marker).isDirectory();
    assertThat(server.logs(id))
        .contains(
            "clock 30 has run for", "limits.clockTimeout is 2.00 s", "at example.LineFit.clock(");
  }

  @Test
  void modelOfAWorkerThatCameByItselfIsReadWhereItLies() throws Exception {
    Path own = Files.createDirectories(folder.resolve("own"));
    Path jar = Tutorial.read().withEdit("127.0.0.1:7071", server.workerAddress()).jar(home);
    String id =
        server.submit(
            """
            program: line-fit
            workers: 1
            launch: external
            tuning: { policy: fixed, setting: { learningRate: 0.1 } }
            stop: { maxEpochs: 4 }
            """);
    Process worker = server.startMain(jar, own, "example.LineFit", id);
    assertThat(server.awaitEnd(id).path("state").asString()).isEqualTo("COMPLETED");
    assertThat(worker.waitFor()).as(Files.readString(own.resolve("own.out"))).isZero();

    String model = folder.resolve("model.npz").toString();
    var said = new StringBuilder();
    assertThat(server.espalier(said, "model", "export", id, model)).isEqualTo(5);
    assertThat(said.toString()).contains("lie beside its workers", "--checkpoints FOLDER");

    String checkpoints = own.resolve(".espalier").resolve("checkpoints").toString();
    said.setLength(0);
    assertThat(
            server.espalier(
                said,
                "model",
                "export",
                id,
                model,
                "--checkpoints",
                checkpoints,
                "--jar",
                jar.toString()))
        .as("%s", said)
        .isZero();
    assertThat(lastTwo(Path.of(model), "line.npy").get(0)).isCloseTo(3, within(0.1f));
  }

  private static FloatBuffer lastTwo(Path archive, String array) throws IOException {
    try (var zip = new ZipFile(archive.toFile())) {
      byte[] bytes = zip.getInputStream(zip.getEntry(array)).readAllBytes();
      return ByteBuffer.wrap(bytes, bytes.length - 8, 8)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer();
    }
  }
}
