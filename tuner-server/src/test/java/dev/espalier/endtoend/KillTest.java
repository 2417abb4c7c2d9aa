package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Real processes, real signals: what is killed comes back, and nothing is lost or done twice.
///
/// Jobs run under a cost model, so an undisturbed run says what every decision must be.
@Timeout(300)
class KillTest {
  private static final String TUNED =
      """
      program: mlp
      workers: 2
      seed: 7
      arguments: { hidden: [192] }
      tuning: { policy: mltuner, searcher: random, maxTrials: 6, trialTime: 0.08s }
      stop: { maxEpochs: 3 }
      time: { model: { perClockSeconds: 0.0002, perSampleSeconds: 7.0e-6 } }
      """;
  private static final String RACED =
      """
      program: mlp
      seed: 7
      arguments: { hidden: [64] }
      tuning: { policy: racing, warmStart: false }
      stop: { maxEpochs: 5 }
      time: { model: { perClockSeconds: 0.0002, perSampleSeconds: 7.0e-6 } }
      """;
  private static final int EPOCHS = 9;
  private static final String FIXED =
      """
      program: mlp
      workers: 2
      seed: 7
      arguments: { hidden: [64] }
      tuning: { policy: fixed, setting: { learningRate: 0.02, batchSize: 32 } }
      stop: { maxEpochs: %d }
      time: { model: { perClockSeconds: 0.0002, perSampleSeconds: 7.0e-6 } }
      """;

  @TempDir static Path home;
  private static ServerProcess server;
  private static TreeMap<String, String> undisturbed;
  private static JsonNode undisturbedEnd;
  private static TreeMap<String, String> raced;
  private static JsonNode racedEnd;
  private static JsonNode fixedEnd;

  @BeforeAll
  static void runUndisturbed() throws Exception {
    server = ServerProcess.start(home);
    String job = server.submit(TUNED);
    String race = server.submit(RACED);
    String fixed = server.submit(FIXED.formatted(EPOCHS));
    undisturbedEnd = server.awaitEnd(job);
    undisturbed = server.decisions(job);
    racedEnd = server.awaitEnd(race);
    raced = server.decisions(race);
    fixedEnd = server.awaitEnd(fixed);
    for (JsonNode end : List.of(undisturbedEnd, racedEnd, fixedEnd)) {
      assertThat(end.path("state").asString()).as("%s", end).isEqualTo("COMPLETED");
      assertThat(end.path("metrics").isEmpty()).as("%s", end).isFalse();
    }
    assertThat(undisturbed).containsKeys("round-1/trial-2", "round-1/adopt");
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Test
  void serverKilledInARoundAndARaceGoesOnWithTheSameDecisions() throws Exception {
    String job = server.submit(TUNED);
    String race = server.submit(RACED);
    server.awaitDecision(job, "round-1/starting-loss");
    server.awaitDecision(race, "round-1/start");

    server.kill();
    Thread.sleep(1_000);
    server.startAgain();

    JsonNode end = server.awaitEnd(job);
    JsonNode endOfRace = server.awaitEnd(race);
    for (JsonNode each : List.of(end, endOfRace)) {
      assertThat(each.path("generation").asInt()).as("workers were not restarted").isEqualTo(1);
    }
    assertThat(server.decisions(job)).isEqualTo(undisturbed);
    assertThat(end.path("metrics")).isEqualTo(undisturbedEnd.path("metrics"));
    assertThat(server.decisions(race)).isEqualTo(raced);
    assertThat(raced).containsKey("round-1/result");
    assertThat(endOfRace.path("metrics")).isEqualTo(racedEnd.path("metrics"));
  }

  @Test
  void serverToldToStopInARoundStopsWithItsDatabaseAndTheNextOneGoesOn() throws Exception {
    String job = server.submit(TUNED);
    server.awaitDecision(job, "round-1/starting-loss");

    assertThat(server.stop()).as("exit status of a process that was told to end").isEqualTo(143);
    try (Stream<Path> files = Files.walk(home)) {
      assertThat(files.filter(file -> file.endsWith("postmaster.pid"))).isEmpty();
    }
    assertThat(server.temporaryFiles()).isEmptyDirectory();
    assertThat(server.worker(job, 0).isAlive()).as("training does not end with it").isTrue();
    server.startAgain();

    JsonNode end = server.awaitEnd(job);
    assertThat(end.path("generation").asInt()).as("workers were not restarted").isEqualTo(1);
    assertThat(server.decisions(job)).isEqualTo(undisturbed);
    assertThat(end.path("metrics")).isEqualTo(undisturbedEnd.path("metrics"));
  }

  @Test
  void workerKilledInARoundIsReplacedAndTheRoundComesOutTheSame() throws Exception {
    String job = server.submit(TUNED);
    server.awaitDecision(job, "round-1/starting-loss");

    server.worker(job, 1).destroyForcibly();

    JsonNode end = server.awaitEnd(job);
    assertThat(end.path("state").asString()).isEqualTo("COMPLETED");
    assertThat(end.path("generation").asInt()).isEqualTo(2);
    assertThat(end.path("setting")).isEqualTo(undisturbedEnd.path("setting"));
    assertThat(end.path("metrics")).isEqualTo(undisturbedEnd.path("metrics"));
    assertThat(server.decisions(job)).containsKey("recovery-1");
  }

  @Test
  void trainingGoesOnWhileTheServerIsDeadAndNothingOfItIsLost() throws Exception {
    String job = server.submit(FIXED.formatted(EPOCHS));
    server.await(
        job, "training", Duration.ofSeconds(60), j -> j.path("mainlineClock").asLong() > 50);

    server.kill();
    long alone = 0;
    for (int i = 0; i < 200 && alone == 0; i++) {
      Thread.sleep(100);
      alone = server.logs(job).lines().filter(line -> line.contains("goes on from")).count();
    }
    server.startAgain();

    JsonNode end = server.awaitEnd(job);
    assertThat(alone).as("pieces trained without a tuner").isPositive();
    assertThat(end.path("generation").asInt()).isEqualTo(1);
    assertThat(end.path("mainlineClock")).isEqualTo(fixedEnd.path("mainlineClock"));
    assertThat(end.path("metrics")).isEqualTo(fixedEnd.path("metrics"));
    server.decisions(job);
  }

  /// After a power cut nothing runs, and the next server need not wait to see it.
  @Test
  void aDamagedCheckpointIsNoticedAndTheOneBeforeIsUsed() throws Exception {
    String job = server.submit(FIXED.formatted(EPOCHS) + "checkpoints: { keep: 4 }\n");
    server.await(
        job,
        "five epochs and three checkpoints",
        Duration.ofSeconds(60),
        j -> j.path("epoch").asDouble() > 5 && manifests(server.checkpoints(job)).size() > 2);

    server.kill();
    for (int number = 0; number < 2; number++) {
      ProcessHandle worker = server.worker(job, number);
      worker.destroyForcibly();
      worker.onExit().get(10, TimeUnit.SECONDS);
    }
    damageTheNewestTwo(server.checkpoints(job));
    server.startAgain();

    JsonNode end = server.awaitEnd(job);
    assertThat(end.path("state").asString()).isEqualTo("COMPLETED");
    assertThat(end.path("metrics")).isEqualTo(fixedEnd.path("metrics"));
    assertThat(server.decisions(job).keySet())
        .anyMatch(key -> key.matches("checkpoint-.*/damaged"));
    assertThat(server.decisions(job).get("recovery-1")).contains(" is gone", "checkpoint");
  }

  /// Tears the newest checkpoint, flips a bit of the one before.
  private static void damageTheNewestTwo(Path checkpoints) throws IOException {
    List<Path> manifests = manifests(checkpoints);
    assertThat(manifests).hasSizeGreaterThan(2);
    for (Path manifest : manifests.subList(manifests.size() - 2, manifests.size())) {
      byte[] bytes = Files.readAllBytes(manifest);
      bytes[bytes.length / 2] ^= 1;
      boolean isNewest = manifest.equals(manifests.getLast());
      Files.write(manifest, isNewest ? Arrays.copyOf(bytes, bytes.length / 2) : bytes);
    }
  }

  private static List<Path> manifests(Path checkpoints) {
    try (Stream<Path> files = Files.walk(checkpoints)) {
      return files
          .filter(file -> file.getFileName().toString().equals("shard-0.ckpt"))
          .sorted(Comparator.comparing(file -> Long.parseLong(folderOf(file))))
          .toList();
    } catch (IOException | UncheckedIOException _) {
      // Old ones are dropped meanwhile.
      return List.of();
    }
  }

  private static String folderOf(Path file) {
    return file.getParent().getFileName().toString();
  }

  @Test
  void diskFullOnCheckpointIsAWarningAndTheJobGoesOn() throws Exception {
    String job = server.submit(FIXED.formatted(4));
    Path full = Files.createDirectories(server.checkpoints(job).resolve("2"));
    Files.createSymbolicLink(full.resolve("place-0.bin.tmp"), Path.of("/dev/full"));

    JsonNode end = server.awaitEnd(job);

    assertThat(end.path("state").asString()).isEqualTo("COMPLETED");
    Map<String, String> decisions = server.decisions(job);
    assertThat(decisions.values()).anyMatch(text -> text.contains("No space left on device"));
  }
}
