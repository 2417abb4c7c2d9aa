package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.app.port.ProgramRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The programs of the worker runtime and of the jars in the configured folder.
///
/// The server never loads a program: it asks a worker process to describe what it finds, at its
/// start and again whenever a jar is new or has changed. A jar that cannot be described is left
/// out, with a warning that says why.
public final class DescribedPrograms implements ProgramRegistry {
  private static final Logger log = LoggerFactory.getLogger(DescribedPrograms.class);

  /// Where a jar names its programs' classes, a line each.
  public static final String DECLARATION = "META-INF/services/dev.espalier.sdk.TrainingProgram";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final WorkerCommand command;
  private final Path folder;
  private final Map<Source, CompletableFuture<List<ProgramDescriptor>>> described = new HashMap<>();
  private Set<Source> offered = Set.of();

  /// @param folder of jars with programs; need not exist
  public DescribedPrograms(WorkerCommand command, Path folder) {
    this.command = command;
    this.folder = folder;
    Thread.ofVirtual().name("describe-programs").start(this::programs);
  }

  /// Where programs come from. A jar that was written anew is another source.
  private sealed interface Source {
    record BuiltIn() implements Source {}

    record Jar(Path path, long bytes, FileTime written) implements Source {}
  }

  /// @param jar where the program comes from; null for a built-in one
  private record Entry(ProgramDescriptor descriptor, @Nullable Path jar) {}

  @Override
  public List<ProgramDescriptor> programs() {
    return known().values().stream().map(Entry::descriptor).toList();
  }

  @Override
  public Optional<ProgramDescriptor> find(String name) {
    return Optional.ofNullable(known().get(name)).map(Entry::descriptor);
  }

  /// {@return the jars that a worker of this program needs beside the runtime's own}
  List<Path> jarsOf(String program) {
    Entry entry = known().get(program);
    return entry == null || entry.jar() == null ? List.of() : List.of(entry.jar());
  }

  private Map<String, Entry> known() {
    List<Source> sources = sources();
    var answers = new LinkedHashMap<Source, CompletableFuture<List<ProgramDescriptor>>>();
    boolean isNews;
    synchronized (this) {
      described.keySet().retainAll(sources);
      sources.forEach(source -> answers.put(source, described.computeIfAbsent(source, this::ask)));
      isNews = !offered.equals(answers.keySet());
      offered = Set.copyOf(answers.keySet());
    }
    var found = new TreeMap<String, Entry>();
    answers.forEach((source, answer) -> add(source, answer, found, isNews));
    if (isNews) {
      log.info("programs={} registered", found.keySet());
    }
    return found;
  }

  private void add(
      Source source,
      CompletableFuture<List<ProgramDescriptor>> answer,
      Map<String, Entry> found,
      boolean isNews) {
    Path jar = source instanceof Source.Jar(Path path, long _, FileTime _) ? path : null;
    try {
      List<ProgramDescriptor> programs =
          answer.get(2 * WorkerCommand.ANSWER_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      if (programs.isEmpty() && isNews) {
        log.warn("jar={} left out: it declares no program in {}", jar, DECLARATION);
      }
      for (ProgramDescriptor program : programs) {
        Entry before = found.putIfAbsent(program.name(), new Entry(program, jar));
        if (before != null && isNews) {
          log.warn(
              "program={} jar={} left out: the name is {}",
              program.name(),
              jar,
              before.jar() == null ? "that of a built-in program" : "taken by " + before.jar());
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new EspalierException(
          ErrorCode.INTERNAL, "interrupted while the programs were being described");
    } catch (ExecutionException | TimeoutException failure) {
      Throwable cause = failure.getCause();
      String why = cause == null ? "it did not answer in time" : String.valueOf(cause.getMessage());
      if (jar == null) {
        throw new EspalierException(
            ErrorCode.INTERNAL, "the worker runtime could not describe its programs: " + why);
      }
      // Whatever is wrong with a jar is the jar's matter: the other programs are offered.
      if (isNews) {
        log.warn("jar={} left out: {}", jar, why);
      }
    }
  }

  private CompletableFuture<List<ProgramDescriptor>> ask(Source source) {
    var answer = new CompletableFuture<List<ProgramDescriptor>>();
    Thread.ofVirtual()
        .name("describe-programs")
        .start(() -> {
          try {
            answer.complete(
                switch (source) {
                  case Source.BuiltIn _ -> builtIn(command);
                  case Source.Jar(Path jar, long _, FileTime _) -> declaredIn(command, jar);
                });
          } catch (RuntimeException failure) {
            answer.completeExceptionally(new IllegalStateException(failure.getMessage()));
          }
        });
    return answer;
  }

  private List<Source> sources() {
    var sources = new ArrayList<Source>(List.of(new Source.BuiltIn()));
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path jar : files.filter(file -> file.toString().endsWith(".jar")).sorted().toList()) {
          addJar(jar, sources);
        }
      } catch (IOException failure) {
        log.warn("folder={} of programs cannot be read: {}", folder, failure.getMessage());
      }
    }
    return sources;
  }

  /// A link that leads nowhere, or a jar that is just being replaced, hides no other.
  private static void addJar(Path jar, List<Source> sources) {
    try {
      sources.add(new Source.Jar(jar, Files.size(jar), Files.getLastModifiedTime(jar)));
    } catch (IOException failure) {
      log.warn("jar={} left out: it cannot be read: {}", jar, failure.toString());
    }
  }

  /// {@return the programs that the worker runtime brings}
  public static List<ProgramDescriptor> builtIn(WorkerCommand command) {
    return describe(command, List.of(), "describe");
  }

  /// {@return the programs that a jar declares; empty when it declares none}
  ///
  /// @throws EspalierException `INTERNAL` when one cannot be loaded or described
  public static List<ProgramDescriptor> declaredIn(WorkerCommand command, Path jar) {
    return describe(command, List.of(jar), "describe-declared");
  }

  private static List<ProgramDescriptor> describe(
      WorkerCommand command, List<Path> jars, String question) {
    var descriptors = new ArrayList<ProgramDescriptor>();
    JSON.readTree(command.answer(jars, question))
        .forEach(node -> descriptors.add(descriptor(node)));
    return descriptors;
  }

  private static ProgramDescriptor descriptor(JsonNode node) {
    return new ProgramDescriptor(
        node.path("name").asString(),
        node.path("summary").asString(),
        node.path("needsData").asBoolean(),
        list(node.path("arguments"), DescribedPrograms::argument),
        list(node.path("tunables"), DescribedPrograms::tunable),
        list(node.path("validation"), DescribedPrograms::metric));
  }

  private static <T> List<T> list(JsonNode nodes, java.util.function.Function<JsonNode, T> map) {
    var items = new ArrayList<T>();
    nodes.forEach(node -> items.add(map.apply(node)));
    return items;
  }

  private static ProgramDescriptor.Argument argument(JsonNode node) {
    return new ProgramDescriptor.Argument(
        node.path("name").asString(),
        node.path("summary").asString(),
        ProgramDescriptor.Argument.Type.valueOf(node.path("type").asString()),
        node.path("defaultValue").asString(),
        node.hasNonNull("min") ? Double.valueOf(node.path("min").asDouble()) : null,
        node.hasNonNull("max") ? Double.valueOf(node.path("max").asDouble()) : null,
        list(node.path("choices"), JsonNode::asString));
  }

  private static Tunable tunable(JsonNode node) {
    String name = node.path("name").asString();
    double defaultValue = node.path("defaultValue").asDouble();
    return switch (node.path("type").asString()) {
      case "log" ->
          new Tunable.LogRange(
              name, node.path("min").asDouble(), node.path("max").asDouble(), defaultValue);
      case "linear" ->
          new Tunable.LinearRange(
              name, node.path("min").asDouble(), node.path("max").asDouble(), defaultValue);
      case "choice" ->
          new Tunable.Choice(name, list(node.path("values"), JsonNode::asDouble), defaultValue);
      default ->
          throw new EspalierException(
              ErrorCode.INTERNAL, "tunable " + name + " has no known type: " + node);
    };
  }

  private static MetricSpec metric(JsonNode node) {
    return new MetricSpec(
        node.path("name").asString(),
        Goal.valueOf(node.path("goal").asString()),
        MetricSpec.Aggregate.valueOf(node.path("aggregate").asString()));
  }
}
