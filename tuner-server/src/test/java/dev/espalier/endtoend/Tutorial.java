package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.sdk.TrainingProgram;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.yaml.snakeyaml.Yaml;

/// What a reader of docs/TUTORIAL.md makes: the jar of its program and its job files.
final class Tutorial {
  private static final String SERVICE = "META-INF/services/dev.espalier.sdk.TrainingProgram";
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w+)\\n(.*?)^```$");
  private static final Pattern DESCRIBE =
      Pattern.compile("(?ms)^  @Override\n  public ProgramDescriptor describe.*?^  }\n");
  private static final List<String> LIBRARY = List.of("api", "ps-embedded", "trial-runtime");

  private final String text;

  private Tutorial(String text) {
    this.text = text;
  }

  static Tutorial read() throws IOException {
    return new Tutorial(
        Files.readString(Path.of(System.getProperty("espalier.home.dist"), "docs", "TUTORIAL.md")));
  }

  String text() {
    return text;
  }

  /// {@return the page of somebody who makes a mistake}
  Tutorial withEdit(String right, String wrong) {
    assertThat(text).contains(right);
    return new Tutorial(text.replace(right, wrong));
  }

  /// {@return the page of somebody who takes the long form of `describe`, with what it imports}
  Tutorial withLongDescription() {
    String program = blocks("java").getFirst();
    String shortForm =
        DESCRIBE.matcher(program).results().map(MatchResult::group).findFirst().orElseThrow();
    String longForm =
        blocks("java").stream()
            .skip(1)
            .filter(block -> DESCRIBE.matcher(block).find())
            .findFirst()
            .orElseThrow();
    return withEdit(shortForm, longForm)
        .withEdit(
            "import java.util.Random;",
            """
            import dev.espalier.api.model.ProgramDescriptor.Argument;
            import dev.espalier.api.model.Tunable;
            import java.util.List;
            import java.util.Random;
            """);
  }

  /// {@return lines of the program without blank ones, the package line and the imports}
  long programLines() {
    return blocks("java")
        .getFirst()
        .lines()
        .filter(line -> !line.isBlank())
        .filter(line -> !line.startsWith("package ") && !line.startsWith("import "))
        .count();
  }

  private List<String> blocks(String language) {
    return BLOCK
        .matcher(text)
        .results()
        .filter(block -> block.group(1).equals(language))
        .map(block -> block.group(2))
        .toList();
  }

  /// {@return the text of the job file with this name}
  String jobFile(String name) {
    return blocks("yaml").stream()
        .filter(job -> job.contains("name: " + name + "\n"))
        .findFirst()
        .orElseThrow();
  }

  Map<String, Object> job(String name) {
    return new Yaml().load(jobFile(name));
  }

  /// Compiles the program against the library alone and packs it as the page says.
  Path jar(Path folder) throws IOException {
    Path source = Files.createDirectories(folder.resolve("source")).resolve("LineFit.java");
    Path classes = Files.createDirectories(folder.resolve("classes"));
    Files.writeString(source, blocks("java").getFirst());
    var errors = new StringWriter();
    var compiler = ToolProvider.getSystemJavaCompiler();
    boolean compiled =
        compiler
            .getTask(
                errors,
                null,
                null,
                List.of("-d", classes.toString(), "-cp", libraryClassPath(), "-proc:none"),
                null,
                compiler.getStandardFileManager(null, null, null).getJavaFileObjects(source))
            .call();
    assertThat(compiled).as("compiles: %s", errors).isTrue();

    Path jar = Files.createDirectories(folder.resolve("programs")).resolve("line-fit.jar");
    try (var out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        put(out, classes.relativize(file).toString(), Files.readAllBytes(file));
      }
      put(out, SERVICE, blocks("text").getFirst().getBytes(StandardCharsets.UTF_8));
    }
    return jar;
  }

  private static void put(JarOutputStream out, String name, byte[] content) throws IOException {
    out.putNextEntry(new JarEntry(name));
    out.write(content);
    out.closeEntry();
  }

  /// What a program is compiled against: the modules below trial-runtime, and no other library.
  private static String libraryClassPath() {
    return classPath(entry -> LIBRARY.stream().anyMatch(module -> isModule(entry, module)));
  }

  private static boolean isModule(Path entry, String module) {
    return entry.endsWith(Path.of(module, "target", "classes"))
        || entry.getFileName().toString().matches(Pattern.quote(module) + "-[0-9.]+\\.jar");
  }

  /// This JVM's class path without the doubles of other tests.
  static String productClassPath() {
    return classPath(entry -> !entry.endsWith("test-classes"));
  }

  private static String classPath(java.util.function.Predicate<Path> wanted) {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> wanted.test(Path.of(entry)))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /// {@return a loader that sees the jar as a worker's class path does}
  static URLClassLoader loader(Path jar) throws MalformedURLException {
    return new URLClassLoader(
        new URL[] {jar.toUri().toURL()}, TrainingProgram.class.getClassLoader());
  }

  /// {@return new objects of the programs that the jar declares}
  static List<TrainingProgram> programs(ClassLoader loader) {
    var programs = new ArrayList<TrainingProgram>();
    ServiceLoader.load(TrainingProgram.class, loader).forEach(programs::add);
    return programs;
  }
}
