package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
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
    // Else the JVM writes four lines about a library's use of it into the log of every worker.
    line.add("--sun-misc-unsafe-memory-access=allow");
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
    return answer(programJars, question, new byte[0], ANSWER_TIMEOUT_SECONDS);
  }

  /// Asks a worker process a question that has details.
  ///
  /// @param details what it reads on its standard input
  byte[] answer(List<Path> programJars, String question, byte[] details, long timeoutSeconds) {
    try {
      var builder = new ProcessBuilder(line(List.of(), programJars, List.of(question)));
      LocalProcessLauncher.SECRETS_OF_THE_SERVER.forEach(builder.environment()::remove);
      Process process = builder.start();
      // A program that hangs while it is loaded would hold up the reading below.
      CompletableFuture.delayedExecutor(timeoutSeconds, TimeUnit.SECONDS)
          .execute(process::destroyForcibly);
      try (OutputStream out = process.getOutputStream()) {
        out.write(details);
      } catch (IOException _) {
        // It has ended without reading them; its status says why.
      }
      CompletableFuture<String> errors =
          CompletableFuture.supplyAsync(
              () -> lastLine(process.getErrorStream()), task -> Thread.startVirtualThread(task));
      byte[] output;
      try (InputStream in = process.getInputStream()) {
        output = in.readAllBytes();
      }
      if (!process.waitFor(timeoutSeconds, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new EspalierException(ErrorCode.INTERNAL, "no answer to " + question + " in time");
      }
      if (process.exitValue() != 0) {
        throw new EspalierException(
            ErrorCode.INTERNAL,
            question + " ended with status " + process.exitValue() + ": " + errors.join());
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

  private static String lastLine(InputStream stream) {
    try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.isBlank()).reduce("", (_, line) -> line);
    } catch (IOException failure) {
      return failure.toString();
    }
  }
}
