package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Version;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// How a worker's JVM is started.
///
/// @param java the `java` program
/// @param classPath of the worker runtime, in the platform's form
/// @param javaOptions such as `-Xmx1g`
public record WorkerCommand(Path java, String classPath, List<String> javaOptions) {
  /// How long a worker process may take to answer a question.
  static final long ANSWER_TIMEOUT_SECONDS = 60;

  /// Longer than a check takes to remove its files when it is told to end.
  private static final long END_PATIENCE_SECONDS = 20;

  /// Exit status of a worker that failed, and not of one that was killed.
  private static final int FAILED = 1;

  private static final String MAIN = "dev.espalier.runtime.WorkerMain";

  /// System property: the folder of what is installed here.
  private static final String DISTRIBUTION = "espalier.home.dist";

  private static final List<String> USUAL_JAVA_OPTIONS =
      List.of("-Xmx1g", "-XX:MaxDirectMemorySize=4g", "-XX:+UseParallelGC");

  /// Options that the JVM refuses beside a cache.
  private static final Pattern OTHER_CACHE = Pattern.compile("-Xshare|Shared|AOT|ClassList");

  /// What may hold options of every JVM.
  private static final List<String> OPTION_VARIABLES =
      List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS");

  public WorkerCommand {
    javaOptions = List.copyOf(javaOptions);
  }

  /// {@return how workers are started by what is installed here}
  ///
  /// @param javaOptions empty for the usual ones
  public static WorkerCommand ofDistribution(List<String> javaOptions) {
    var options = new ArrayList<>(javaOptions.isEmpty() ? USUAL_JAVA_OPTIONS : javaOptions);
    options.addAll(0, cacheOptions(distributedCache(), options, System.getenv()));
    return new WorkerCommand(
        Path.of(System.getProperty("java.home"), "bin", "java"), distributedClassPath(), options);
  }

  /// {@return options that let a JVM begin with what it would load and link first, worked out
  /// beforehand by `./espalier build` (an AOT cache); none where there is no cache, or where other
  /// options are about such}
  ///
  /// The JVM leaves alone a cache that does not fit its version or its options, or that is damaged.
  /// Of that it must say nothing: what a worker prints is an answer, or a job's log. But before
  /// 25.0.4 it takes the classes of a cache whatever the jars are (JDK-8377932), so one that is
  /// older than any of them is not for it.
  ///
  /// @param cache beside the jar of which it was made, and the folder `lib` of the others
  static List<String> cacheOptions(
      Optional<Path> cache, List<String> others, Map<String, String> environment) {
    boolean isOther =
        Stream.concat(
                others.stream(),
                OPTION_VARIABLES.stream().map(name -> environment.getOrDefault(name, "")))
            .anyMatch(option -> OTHER_CACHE.matcher(option).find());
    return cache
        .filter(file -> !isOther && Files.isRegularFile(file) && isNoJarNewer(file))
        .map(file ->
            List.of(
                "-XX:AOTCache=" + file,
                "-XX:+VerifySharedSpaces",
                "-Xlog:aot*=off",
                "-Xlog:cds*=off"))
        .orElse(List.of());
  }

  private static boolean isNoJarNewer(Path cache) {
    return Stream.of(".", "lib")
        .map(folder -> cache.resolveSibling(folder).toFile())
        .flatMap(jars -> Stream.ofNullable(jars.listFiles((_, name) -> name.endsWith(".jar"))))
        .flatMap(Stream::of)
        .allMatch(jar -> jar.lastModified() <= cache.toFile().lastModified());
  }

  /// Options that one version of Java has, another may refuse: each has a cache of its own.
  private static Optional<Path> distributedCache() {
    return Optional.ofNullable(System.getProperty(DISTRIBUTION))
        .map(folder ->
            runtime(folder).resolve("worker-%d.aot".formatted(Runtime.version().feature())));
  }

  private static Path runtime(String distribution) {
    return Path.of(distribution, "trial-runtime", "target");
  }

  /// The runtime of the distribution; without one this process's own class path, as in tests.
  private static String distributedClassPath() {
    String distribution = System.getProperty(DISTRIBUTION);
    if (distribution == null) {
      return System.getProperty("java.class.path");
    }
    Path runtime = runtime(distribution);
    Path jar = runtime.resolve("trial-runtime-" + Version.CURRENT + ".jar");
    if (!Files.exists(jar)) {
      throw new IllegalStateException("the worker runtime " + jar + " is missing: build it first");
    }
    return jar + File.pathSeparator + runtime.resolve("lib") + File.separator + "*";
  }

  /// {@return the command line of a worker, with the jar of its program when it is not built in}
  ///
  /// @param marks system properties that come first, where a process listing surely shows them, and
  ///   before the options, which may set others
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
    var answer = new StringBuilder();
    ask(
        programJars,
        question,
        details,
        timeoutSeconds,
        line -> answer.append(line).append('\n'),
        _ -> {});
    return answer.toString().getBytes(StandardCharsets.UTF_8);
  }

  /// Asks a worker process a question whose answer has several lines, told as they come.
  ///
  /// @param details what it reads on its standard input
  /// @param answer hears each line of the answer, in the caller's thread
  /// @param remarks hears each line of what the process writes besides, in a thread of its own
  /// @throws EspalierException `INTERNAL` when it cannot be started, fails or does not end in time
  public void ask(
      List<Path> programJars,
      String question,
      byte[] details,
      long timeoutSeconds,
      Consumer<String> answer,
      Consumer<String> remarks) {
    try {
      String asker = "-Despalier.asker=" + ProcessHandle.current().pid();
      var builder = new ProcessBuilder(line(List.of(asker), programJars, List.of(question)));
      LocalProcessLauncher.SECRETS_OF_THE_SERVER.forEach(builder.environment()::remove);
      Process process = builder.start();
      // A program that hangs would hold up the reading below.
      var isLate = new AtomicBoolean();
      CompletableFuture.delayedExecutor(timeoutSeconds, TimeUnit.SECONDS)
          .execute(() -> {
            isLate.set(process.isAlive());
            end(process);
          });
      try (OutputStream out = process.getOutputStream()) {
        out.write(details);
      } catch (IOException _) {
        // It has ended without reading them; its status says why.
      }
      CompletableFuture<String> errors =
          CompletableFuture.supplyAsync(
              () -> lastLine(process.getErrorStream(), remarks),
              task -> Thread.startVirtualThread(task));
      try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
        lines.lines().forEach(answer);
      } catch (RuntimeException failure) {
        // Whoever hears the answers gave up, or they end in the middle as it is stopped for being
        // late.
        end(process);
        if (!isLate.get()) {
          throw failure;
        }
      }
      int status = process.waitFor();
      if (isLate.get()) {
        throw new EspalierException(
            ErrorCode.INTERNAL, "no answer to %s within %d s".formatted(question, timeoutSeconds));
      }
      if (status != 0) {
        throw new EspalierException(ErrorCode.INTERNAL, failure(question, status, errors.join()));
      }
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.INTERNAL, "a worker cannot be started: " + failure.getMessage(), failure);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new EspalierException(ErrorCode.INTERNAL, "interrupted");
    }
  }

  /// A worker that fails in good order says why last.
  private static String failure(String question, int status, String lastLine) {
    return status == FAILED && !lastLine.isEmpty()
        ? lastLine
        : question + " ended with status " + status + (lastLine.isEmpty() ? "" : ": " + lastLine);
  }

  /// Tells a process to end, which then removes its files; one that does not listen is killed.
  private static void end(Process process) {
    process.destroy();
    CompletableFuture.delayedExecutor(END_PATIENCE_SECONDS, TimeUnit.SECONDS)
        .execute(process::destroyForcibly);
  }

  private static String lastLine(InputStream stream, Consumer<String> each) {
    try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      return reader
          .lines()
          .peek(each)
          .filter(line -> !line.isBlank())
          .reduce("", (_, line) -> line);
    } catch (IOException failure) {
      return failure.toString();
    }
  }
}
