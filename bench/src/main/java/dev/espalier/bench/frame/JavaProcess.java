package dev.espalier.bench.frame;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Work in a process of its own, with this process's Java and classes.
///
/// @param options of its JVM, besides those that all of these have
/// @param main where it begins
public record JavaProcess(List<String> options, Class<?> main, List<String> arguments) {
  /// {@return the `java` program that runs this process}
  public static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /// {@return what starts it}
  public ProcessBuilder builder() {
    var command = new ArrayList<String>();
    command.add(java());
    command.addAll(options);
    command.add("-XX:+UseParallelGC");
    command.add("--add-modules=jdk.incubator.vector");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }

  /// Runs it to its end.
  ///
  /// @return what follows `label` in the last line that begins with it
  /// @throws IOException also when it wrote no such line
  public String result(String label) throws IOException, InterruptedException {
    Process process = builder().redirectError(ProcessBuilder.Redirect.INHERIT).start();
    Optional<String> line;
    try (var out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      line = out.lines().filter(text -> text.startsWith(label)).reduce((_, last) -> last);
    } finally {
      process.waitFor();
    }
    return line.orElseThrow(() ->
            new IOException(
                "the process for %s ended with status %d and without result"
                    .formatted(arguments, process.exitValue())))
        .substring(label.length());
  }
}
