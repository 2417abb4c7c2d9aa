package dev.espalier.runtime;

import static java.util.Objects.requireNonNull;

import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.time.Duration;

/// The door for training code that comes to the tuner by itself.
///
/// ```java
/// public static void main(String[] args) throws Exception {
///   Espalier.attach("127.0.0.1:7071", args[0], System.getenv("ESPALIER_TOKEN"), new MyProgram());
/// }
/// ```
///
/// The job must have been submitted with `launch: external` and name the program by the name in its
/// descriptor. Start as many processes as the job has workers.
public final class Espalier {
  private Espalier() {}

  /// Trains until the job has ended.
  ///
  /// When the job's workers are restarted, the program is closed and opened anew and takes part
  /// again: `TrainingProgram.open` may be called several times on the same object.
  ///
  /// @param tuner host:port of the server's worker port
  /// @param job id of a job with `launch: external`
  /// @param token an API token; never logged
  /// @throws dev.espalier.api.model.EspalierException when the job or token is refused, or the
  ///   program fails
  public static void attach(String tuner, String job, String token, TrainingProgram program)
      throws InterruptedException {
    requireNonNull(tuner, "tuner");
    requireNonNull(job, "job");
    requireNonNull(token, "token");
    requireNonNull(program, "program");
    var config =
        new WorkerConfig(
            tuner,
            job,
            token,
            0,
            -1,
            "127.0.0.1",
            Path.of(System.getProperty("user.dir"), ".espalier", "checkpoints", job),
            WorkerConfig.DEFAULT_MEMORY_BYTES,
            Duration.ofHours(1));
    while (Worker.run(config, _ -> program) == Worker.Outcome.RESTARTED) {
      Thread.sleep(200);
    }
  }
}
