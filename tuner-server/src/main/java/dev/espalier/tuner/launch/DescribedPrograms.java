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
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
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
/// out, with a warning that says why, and asked again by whoever looks half a minute later: the
/// machine may have been too busy. Who looks for a built-in program waits for no jar.
public final class DescribedPrograms implements ProgramRegistry {
  private static final Logger log = LoggerFactory.getLogger(DescribedPrograms.class);

  /// Where a jar names its programs' classes, a line each.
  public static final String DECLARATION = "META-INF/services/dev.espalier.sdk.TrainingProgram";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static final Duration RETRY = Duration.ofSeconds(30);

  /// Each is a process; together they must not starve the server that starts.
  private static final int ASKED_AT_A_TIME = 2;

  private final WorkerCommand command;
  private final Path folder;
  private final Duration retry;
  private final Semaphore processes = new Semaphore(ASKED_AT_A_TIME, true);
  private final Map<Source, CompletableFuture<List<ProgramDescriptor>>> described = new HashMap<>();

  /// What was last told of each source, and of all together.
  private final Map<Source, String> told = new ConcurrentHashMap<>();

  private final AtomicReference<Set<String>> registered = new AtomicReference<>(Set.of());

  /// @param folder of jars with programs; need not exist
  public DescribedPrograms(WorkerCommand command, Path folder) {
    this(command, folder, RETRY);
  }

  /// @param retry how long a failure counts
  DescribedPrograms(WorkerCommand command, Path folder, Duration retry) {
    this.command = command;
    this.folder = folder;
    this.retry = retry;
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
    return entry(name).map(Entry::descriptor);
  }

  /// {@return the jars that a worker of this program needs beside the runtime's own}
  List<Path> jarsOf(String program) {
    return entry(program).map(Entry::jar).map(List::of).orElse(List.of());
  }

  private Optional<Entry> entry(String name) {
    var builtIn = new TreeMap<String, Entry>();
    var source = new Source.BuiltIn();
    add(source, answerOf(source), builtIn);
    return Optional.ofNullable(builtIn.get(name)).or(() -> Optional.ofNullable(known().get(name)));
  }

  private Map<String, Entry> known() {
    List<Source> sources = sources();
    var answers = new LinkedHashMap<Source, CompletableFuture<List<ProgramDescriptor>>>();
    synchronized (described) {
      described.keySet().retainAll(sources);
      sources.forEach(source -> answers.put(source, answerOf(source)));
    }
    told.keySet().retainAll(sources);
    var found = new TreeMap<String, Entry>();
    answers.forEach((source, answer) -> add(source, answer, found));
    Set<String> names = Set.copyOf(found.keySet());
    if (!registered.getAndSet(names).equals(names)) {
      log.info("programs={} registered", found.keySet());
    }
    return found;
  }

  private CompletableFuture<List<ProgramDescriptor>> answerOf(Source source) {
    synchronized (described) {
      return described.computeIfAbsent(source, this::ask);
    }
  }

  private void add(
      Source source, CompletableFuture<List<ProgramDescriptor>> answer, Map<String, Entry> found) {
    Path jar = source instanceof Source.Jar(Path path, long _, FileTime _) ? path : null;
    try {
      List<ProgramDescriptor> programs =
          answer.get(2 * WorkerCommand.ANSWER_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      var leftOut = new ArrayList<String>();
      if (programs.isEmpty()) {
        leftOut.add("it declares no program in " + DECLARATION);
      }
      for (ProgramDescriptor program : programs) {
        Entry before = found.putIfAbsent(program.name(), new Entry(program, jar));
        if (before != null) {
          leftOut.add(
              "the name of its program "
                  + program.name()
                  + " is "
                  + (before.jar() == null
                      ? "that of a built-in program"
                      : "taken by " + before.jar()));
        }
      }
      tell(source, jar, String.join("; ", leftOut));
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
      tell(source, jar, why);
    }
  }

  /// Says once what of a jar is left out.
  private void tell(Source source, @Nullable Path jar, String leftOut) {
    if (!leftOut.equals(told.put(source, leftOut)) && !leftOut.isEmpty()) {
      log.warn("jar={} left out: {}", jar, leftOut);
    }
  }

  private CompletableFuture<List<ProgramDescriptor>> ask(Source source) {
    var answer = new CompletableFuture<List<ProgramDescriptor>>();
    Thread.ofVirtual()
        .name("describe-programs")
        .start(() -> {
          try {
            answer.complete(describe(source));
          } catch (RuntimeException failure) {
            answer.completeExceptionally(new IllegalStateException(failure.getMessage()));
            forgetLater(source, answer);
          }
        });
    return answer;
  }

  private void forgetLater(Source source, CompletableFuture<List<ProgramDescriptor>> failed) {
    CompletableFuture.delayedExecutor(retry.toMillis(), TimeUnit.MILLISECONDS)
        .execute(() -> {
          synchronized (described) {
            described.remove(source, failed);
          }
        });
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

  private List<ProgramDescriptor> describe(Source source) {
    processes.acquireUninterruptibly();
    try {
      return switch (source) {
        case Source.BuiltIn _ -> builtIn(command);
        case Source.Jar(Path jar, long _, FileTime _) -> declaredIn(command, jar);
      };
    } finally {
      processes.release();
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
