package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// How a worker's JVM is started.
///
/// @param java the `java` program
/// @param classPath of the worker runtime, in the platform's form
/// @param javaOptions such as `-Xmx1g`
public record WorkerCommand(Path java, String classPath, List<String> javaOptions) {
  /// How long a worker process may take to answer a question.
  static final long ANSWER_TIMEOUT_SECONDS = 60;

  private static final String MAIN = "dev.espalier.runtime.WorkerMain";

  public WorkerCommand {
    javaOptions = List.copyOf(javaOptions);
  }

  /// {@return the command line of a worker, with the jar of its program when it is not built in}
  ///
  /// @param marks system properties that come first, where a process listing surely shows them
  List<String> line(List<String> marks, List<Path> programJars, List<String> arguments) {
    var line = new ArrayList<String>();
    line.add(java.toString());
    line.addAll(marks);
    line.addAll(javaOptions);
    line.add("--add-modules=jdk.incubator.vector");
    line.add("--enable-native-access=ALL-UNNAMED");
    line.add("-XX:+UseCompactObjectHeaders");
    line.add("-cp");
    var path = new StringBuilder(classPath);
    programJars.forEach(jar -> path.append(File.pathSeparator).append(jar));
    line.add(path.toString());
    line.add(MAIN);
    line.addAll(arguments);
    return line;
  }

  /// Asks a worker process a question.
  ///
  /// @param question such as `describe` or `doctor`
  /// @return what it printed
  /// @throws EspalierException `INTERNAL` when it cannot be started, fails or does not answer
  public byte[] answer(List<Path> programJars, String question) {
    try {
      var builder =
          new ProcessBuilder(line(List.of(), programJars, List.of(question)))
              .redirectError(ProcessBuilder.Redirect.DISCARD);
      LocalProcessLauncher.SECRETS_OF_THE_SERVER.forEach(builder.environment()::remove);
      Process process = builder.start();
      // A program that hangs while it is loaded would hold up the reading below.
      CompletableFuture.delayedExecutor(ANSWER_TIMEOUT_SECONDS, TimeUnit.SECONDS)
          .execute(process::destroyForcibly);
      byte[] output;
      try (InputStream in = process.getInputStream()) {
        output = in.readAllBytes();
      }
      if (!process.waitFor(ANSWER_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new EspalierException(ErrorCode.INTERNAL, "no answer to " + question + " in time");
      }
      if (process.exitValue() != 0) {
        throw new EspalierException(
            ErrorCode.INTERNAL, question + " ended with status " + process.exitValue());
      }
      return output;
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.INTERNAL, "a worker cannot be started: " + failure.getMessage(), failure);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new EspalierException(ErrorCode.INTERNAL, "interrupted");
    }
  }
}
