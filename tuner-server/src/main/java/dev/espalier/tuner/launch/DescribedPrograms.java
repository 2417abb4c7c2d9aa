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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
/// The server never loads a program: it asks a worker process to describe what it finds, once at
/// start, in the background. A jar that cannot be described is left out, with a warning.
public final class DescribedPrograms implements ProgramRegistry {
  private static final Logger log = LoggerFactory.getLogger(DescribedPrograms.class);

  /// Where a jar names its programs' classes, a line each.
  private static final String DECLARATION = "META-INF/services/dev.espalier.sdk.TrainingProgram";

  private final JsonMapper json = JsonMapper.builder().build();
  private final WorkerCommand command;
  private final Path folder;
  private final CompletableFuture<Map<String, Entry>> entries;

  /// @param folder of jars with programs; need not exist
  public DescribedPrograms(WorkerCommand command, Path folder) {
    this.command = command;
    this.folder = folder;
    this.entries = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("describe-programs")
        .start(() -> {
          try {
            entries.complete(describeAll());
          } catch (RuntimeException failure) {
            entries.completeExceptionally(failure);
          }
        });
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
    try {
      return entries.get(2 * WorkerCommand.ANSWER_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new EspalierException(
          ErrorCode.INTERNAL, "interrupted while the programs were being described");
    } catch (ExecutionException | TimeoutException failure) {
      throw new EspalierException(
          ErrorCode.INTERNAL,
          "the worker runtime could not describe its programs: " + failure.getMessage(),
          failure);
    }
  }

  private Map<String, Entry> describeAll() {
    var found = new TreeMap<String, Entry>();
    for (ProgramDescriptor descriptor : describe(List.of(), "describe")) {
      found.put(descriptor.name(), new Entry(descriptor, null));
    }
    for (Path jar : jars()) {
      try {
        List<ProgramDescriptor> declared = describe(List.of(jar), "describe-declared");
        if (declared.isEmpty()) {
          log.warn("jar={} left out: it declares no program in {}", jar, DECLARATION);
        }
        declared.forEach(descriptor -> offer(found, descriptor, jar));
      } catch (RuntimeException failure) {
        // Whatever is wrong with a jar is the jar's matter: the other programs are offered.
        log.warn("jar={} left out: {}", jar, failure.getMessage());
      }
    }
    log.info("programs={} registered", found.keySet());
    return found;
  }

  private static void offer(Map<String, Entry> found, ProgramDescriptor descriptor, Path jar) {
    Entry before = found.putIfAbsent(descriptor.name(), new Entry(descriptor, jar));
    if (before != null) {
      log.warn(
          "program={} jar={} left out: the name is {}",
          descriptor.name(),
          jar,
          before.jar() == null ? "that of a built-in program" : "taken by " + before.jar());
    }
  }

  private List<Path> jars() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
    } catch (IOException failure) {
      log.warn("folder={} of programs cannot be read: {}", folder, failure.getMessage());
      return List.of();
    }
  }

  private List<ProgramDescriptor> describe(List<Path> jars, String question) {
    var descriptors = new ArrayList<ProgramDescriptor>();
    json.readTree(command.answer(jars, question))
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
