package dev.espalier.tuner.launch;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// How a worker's JVM is started.
///
/// @param java the `java` program
/// @param classPath of the worker runtime, in the platform's form
/// @param javaOptions such as `-Xmx1g`
public record WorkerCommand(Path java, String classPath, List<String> javaOptions) {
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
}
