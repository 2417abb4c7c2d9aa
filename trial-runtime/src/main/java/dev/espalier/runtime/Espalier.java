package dev.espalier.runtime;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.sdk.TrainingProgram;

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
  private static final long PAUSE_MILLIS = 200;

  private Espalier() {}

  /// Trains until the job has ended.
  ///
  /// A job that waits for its turn, and a server that is not there yet, are waited for, as long as
  /// `ESPALIER_WORKER_MAX_ALONE` says.
  ///
  /// When the job's workers are restarted, or another worker is lost, the program is closed and
  /// opened anew and takes part again: `TrainingProgram.open` may be called several times on the
  /// same object.
  ///
  /// Two environment variables matter: `ESPALIER_WORKER_ADDRESS`, at which the other workers reach
  /// this one (default 127.0.0.1, so all on one machine), and `ESPALIER_WORKER_MAX_ALONE`, how long
  /// to go on without the server (default PT1H).
  ///
  /// @param tuner host:port of the server's worker port; with `https://` before it the session is
  ///   encrypted, and `ESPALIER_CA` may name a PEM file of the certificates to trust
  /// @param job id of a job with `launch: external`
  /// @param token an API token; never logged
  /// @throws dev.espalier.api.model.EspalierException when the job or token is refused, or the
  ///   program fails; `INVALID_JOB`, with which the job fails too, when it is for another program
  public static void attach(String tuner, String job, String token, TrainingProgram program)
      throws InterruptedException {
    requireNonNull(tuner, "tuner");
    requireNonNull(job, "job");
    requireNonNull(token, "token");
    requireNonNull(program, "program");
    WorkerLog.configure();
    var config = WorkerConfig.attached(tuner, job, token, System.getenv());
    int number = -1;
    boolean isOver = false;
    while (!isOver) {
      switch (Worker.run(config.wishing(number), name -> named(name, program))) {
        case Worker.Outcome.Stopped _ -> isOver = true;
        case Worker.Outcome.Restarted(int worker) -> number = worker < 0 ? number : worker;
        case Worker.Outcome.PeersLost(int worker) -> number = worker;
        case Worker.Outcome.TurnedAway(ErrorCode code, String message) -> {
          // A job that this worker took part in and that is gone has ended between two generations.
          if (code != ErrorCode.NOT_FOUND || number < 0) {
            throw new EspalierException(
                code, "job %s at %s: %s".formatted(config.job(), config.tuner(), message));
          }
          isOver = true;
        }
        case Worker.Outcome.Failed(ErrorCode code, String message) ->
            throw new EspalierException(code, message);
      }
      if (!isOver) {
        Thread.sleep(PAUSE_MILLIS);
      }
    }
  }

  private static TrainingProgram named(String name, TrainingProgram program) {
    String own = program.describe().name();
    if (!own.equals(name)) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "the job is for program %s but %s was attached to it".formatted(name, own));
    }
    return program;
  }
}
