package dev.espalier.runtime;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.runtime.branch.CheckpointFolder;
import dev.espalier.runtime.branch.MemoryBudget;
import dev.espalier.runtime.link.TunerChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How a worker process is set up.
///
/// @param tuner host:port of the server's worker port
/// @param job id of the job
/// @param secret the job's worker secret or an API token; never logged
/// @param generation 0 when unknown
/// @param worker this worker's number; without a generation the one it would like to have, -1 for
///   any
/// @param address interface at which other workers reach this worker's shard
/// @param checkpoints folder for checkpoints where the tuner names none
/// @param memoryBytes bound on parameter memory of the host
/// @param maxAlone how long to go on without a tuner
/// @param trusted PEM file of the certificates to trust of the tuner; empty for those that Java
///   trusts
record WorkerConfig(
    String tuner,
    String job,
    String secret,
    int generation,
    int worker,
    String address,
    Path checkpoints,
    long memoryBytes,
    Duration maxAlone,
    Optional<Path> trusted) {
  private static final String MAX_ALONE = "ESPALIER_WORKER_MAX_ALONE";

  @Override
  public String toString() {
    return "worker " + worker + " of " + job + " generation " + generation + " at " + tuner;
  }

  /// A worker that a program starts by itself: its number is told by the tuner.
  static WorkerConfig attached(String tuner, String job, String token, Map<String, String> env) {
    return new WorkerConfig(
        tuner,
        job,
        token,
        0,
        -1,
        address(env),
        Path.of(System.getProperty("user.dir"), ".espalier", "checkpoints", job),
        MemoryBudget.bytes(),
        maxAlone(env),
        trusted(env));
  }

  /// {@return the same worker, which asks for the number that its part of the job's checkpoints
  /// has; where its folder does not tell, for the one that it had before}
  ///
  /// @param before -1 for none
  WorkerConfig wishing(int before) {
    return new WorkerConfig(
        tuner,
        job,
        secret,
        generation,
        CheckpointFolder.onlyWorkerIn(checkpoints).orElse(before),
        address,
        checkpoints,
        memoryBytes,
        maxAlone,
        trusted);
  }

  private static String address(Map<String, String> env) {
    return env.getOrDefault("ESPALIER_WORKER_ADDRESS", "127.0.0.1");
  }

  private static Optional<Path> trusted(Map<String, String> env) {
    Optional<Path> file =
        Optional.ofNullable(env.get(TunerChannel.TRUSTED))
            .filter(name -> !name.isBlank())
            .map(Path::of);
    if (file.isPresent() && !Files.isReadable(file.get())) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          TunerChannel.TRUSTED + " names " + file.get() + ", which cannot be read");
    }
    return file;
  }

  private static Duration maxAlone(Map<String, String> env) {
    String text = env.getOrDefault(MAX_ALONE, "PT1H");
    try {
      Duration time = Duration.parse(text);
      if (time.isPositive()) {
        return time;
      }
    } catch (DateTimeParseException _) {
      // Said below.
    }
    throw new EspalierException(
        ErrorCode.INVALID_REQUEST,
        MAX_ALONE + " must be a time above zero such as PT30M but is " + text);
  }

  /// {@return a time such as `90 s` or `30 minutes`}
  static String inWords(Duration time) {
    return time.toMinutes() < 2 ? time.toSeconds() + " s" : time.toMinutes() + " minutes";
  }

  /// Reads `--job ID --tuner HOST:PORT --worker N` and the environment.
  static WorkerConfig parse(List<String> arguments, Map<String, String> env) {
    String job = option(arguments, "--job");
    return new WorkerConfig(
        option(arguments, "--tuner"),
        job,
        required(env, "ESPALIER_WORKER_SECRET"),
        number("ESPALIER_WORKER_GENERATION", env.getOrDefault("ESPALIER_WORKER_GENERATION", "0")),
        number("--worker", option(arguments, "--worker")),
        address(env),
        Path.of(System.getProperty("user.dir"), ".espalier", "checkpoints"),
        MemoryBudget.bytes(),
        maxAlone(env),
        trusted(env));
  }

  private static String option(List<String> arguments, String name) {
    int index = arguments.indexOf(name);
    if (index < 0 || index + 1 >= arguments.size()) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST, "worker option " + name + " is missing");
    }
    return arguments.get(index + 1);
  }

  private static String required(Map<String, String> env, String name) {
    String value = env.get(name);
    if (value == null || value.isBlank()) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST, "environment variable " + name + " is missing");
    }
    return value;
  }

  private static int number(String name, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException _) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST, name + " must be a whole number but is " + text);
    }
  }
}
