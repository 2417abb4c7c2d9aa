package dev.espalier.runtime;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.Setting;
import dev.espalier.runtime.branch.ProgramFailure;
import dev.espalier.runtime.check.ProgramCheck;
import dev.espalier.runtime.doctor.WorkerExamination;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/// Entry of a worker process, started by the server.
///
/// ```
/// describe                                     prints the descriptors of the built-in programs as JSON
/// describe-declared                            the same of the programs of jars on its class path
/// model                                        writes a checkpoint's tables to a file; the request
///                                              comes as JSON on standard input
/// open                                         opens a program and prints why it cannot be opened;
///                                              the request comes as for model
/// check                                        runs a program and prints what it finds, a line of
///                                              JSON each; the request comes as for model
/// doctor                                       prints what it finds on the machine as JSON
/// work --job ID --tuner HOST:PORT --worker N   trains; secret and generation in the environment
/// ```
///
/// Exit status: 0 stopped in good order, 1 failed, 2 usage, 3 turned away, 4 other workers lost.
public final class WorkerMain {
  /// Longer than workers may take to leave, after which files are removed.
  private static final long END_PATIENCE_SECONDS = 15;

  /// System property: number of the process that asked.
  private static final String ASKER = "espalier.asker";

  private WorkerMain() {}

  public static void main(String[] args) throws InterruptedException {
    // What a program prints or parses is to be the same on each machine.
    Locale.setDefault(Locale.ROOT);
    WorkerLog.configure();
    endWithAsker();
    System.exit(run(List.of(args)));
  }

  /// A process that answers a question ends with who asked it, whatever the program does that it
  /// runs; one that trains finds out by itself that its tuner is gone.
  private static void endWithAsker() {
    String asker = System.getProperty(ASKER);
    if (asker != null) {
      ProcessHandle.of(Long.parseLong(asker))
          .map(ProcessHandle::onExit)
          .orElseGet(() -> CompletableFuture.completedFuture(null))
          .thenRun(() -> System.exit(1));
    }
  }

  private static int run(List<String> args) throws InterruptedException {
    if (args.equals(List.of("describe"))) {
      return describe(ProgramCatalog::builtIn);
    }
    if (args.equals(List.of("describe-declared"))) {
      return describe(ProgramCatalog::declared);
    }
    if (args.equals(List.of("model"))) {
      return say(WorkerMain::exportModel);
    }
    if (args.equals(List.of("open"))) {
      return say(WorkerMain::open);
    }
    if (args.equals(List.of("check"))) {
      return tell(WorkerMain::check);
    }
    if (args.equals(List.of("doctor"))) {
      return say(WorkerExamination::examine);
    }
    Logger log = LoggerFactory.getLogger(WorkerMain.class);
    try {
      if (args.isEmpty() || !args.getFirst().equals("work")) {
        System.err.println(
            "usage: describe | describe-declared | model | open | check | doctor | work --job ID --tuner HOST:PORT --worker N");
        return 2;
      }
      var config = WorkerConfig.parse(args, System.getenv());
      log.info("{} starts pid={}", config, ProcessHandle.current().pid());
      return switch (Worker.run(config, ProgramCatalog::named)) {
        case Worker.Outcome.Stopped _ -> 0;
        case Worker.Outcome.Failed _ -> 1;
        case Worker.Outcome.TurnedAway _, Worker.Outcome.Restarted _ -> 3;
        case Worker.Outcome.PeersLost _ -> 4;
      };
    } catch (EspalierException failure) {
      log.error("code={} message={}", failure.code(), failure.getMessage());
      return 1;
    }
  }

  private static int describe(Supplier<List<TrainingProgram>> programs) {
    return say(() ->
        Descriptors.documents(programs.get().stream().map(TrainingProgram::describe).toList()));
  }

  /// What is to be written.
  ///
  /// @param file to be written
  private record ExportRequest(TrainedModel.Request model, String file) {}

  private static Object exportModel() {
    ExportRequest request = request(ExportRequest.class);
    try (TrainingProgram program = ProgramCatalog.named(request.model().program());
        TrainedModel model = TrainedModel.open(request.model(), program)) {
      model.write(Path.of(request.file()));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new EspalierException(ErrorCode.INTERNAL, "the export was interrupted");
    }
    return Map.of("file", request.file());
  }

  /// What is to be opened.
  ///
  /// @param arguments by name, defaults filled in
  /// @param data the data folder; empty for none
  private record OpenRequest(
      String program, Map<String, String> arguments, String data, int workers, long seed) {}

  private static Object open() {
    OpenRequest request = request(OpenRequest.class);
    try (TrainingProgram program = ProgramCatalog.named(request.program())) {
      var environment =
          new ProgramEnvironment(
              request.arguments(),
              request.data().isEmpty() ? Optional.empty() : Optional.of(Path.of(request.data())),
              0,
              request.workers(),
              request.seed());
      ProgramShape shape =
          ProgramFailure.requireReturned(request.program(), program.open(environment), "open");
      PsBackend.requireKnown(shape.tables());
      return Map.of(
          "trainingSamples", shape.trainingSamples(),
          "defaultBatchSize", shape.batchSize(HeldOut.NOTHING, request.workers()));
    } catch (EspalierException failure) {
      return Map.of("problem", String.valueOf(failure.getMessage()));
    } catch (Exception | LinkageError failure) {
      return Map.of("problem", ProgramFailure.describe(request.program(), failure));
    }
  }

  /// What is to be checked.
  ///
  /// @param arguments by name; those that are missing have their defaults
  /// @param jobSetting values of a job in place of the defaults of tunables
  /// @param setting values in place of both
  /// @param data the data folder; empty for none
  private record CheckRequest(
      String program,
      Map<String, String> arguments,
      Map<String, Double> jobSetting,
      Map<String, Double> setting,
      String data,
      long seed) {}

  private static void check(Consumer<Object> lines) {
    CheckRequest request = request(CheckRequest.class);
    var check =
        ProgramCheck.of(() -> ProgramCatalog.named(request.program()))
            .withSeed(request.seed())
            .withJobSetting(Setting.of(request.jobSetting()));
    for (Map.Entry<String, String> argument : request.arguments().entrySet()) {
      check = check.withArgument(argument.getKey(), argument.getValue());
    }
    for (Map.Entry<String, Double> tunable : request.setting().entrySet()) {
      check = check.withTunable(tunable.getKey(), tunable.getValue());
    }
    if (!request.data().isEmpty()) {
      check = check.withData(Path.of(request.data()));
    }
    var ended = new CountDownLatch(1);
    interruptAtShutdown(ended);
    try {
      check.run(lines::accept);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new EspalierException(ErrorCode.INTERNAL, "the check was interrupted");
    } finally {
      ended.countDown();
    }
  }

  /// Lets the caller's thread remove its files when the process is told to end.
  private static void interruptAtShutdown(CountDownLatch ended) {
    Thread caller = Thread.currentThread();
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .unstarted(() -> {
                  if (ended.getCount() > 0) {
                    caller.interrupt();
                    awaitEnd(ended);
                  }
                }));
  }

  private static void awaitEnd(CountDownLatch ended) {
    try {
      var _ = ended.await(END_PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static <T> T request(Class<T> type) {
    return JsonMapper.builder().build().readValue(System.in, type);
  }

  private static int say(Supplier<Object> document) {
    return tell(lines -> lines.accept(document.get()));
  }

  /// Prints documents, a line each; what is printed while they are made must not get between them.
  /// The last line of what it writes to standard error says what is wrong.
  private static int tell(Consumer<Consumer<Object>> answers) {
    System.setOut(System.err);
    var out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    try {
      answers.accept(document -> {
        out.println(JsonMapper.builder().build().writeValueAsString(document));
        if (out.checkError()) {
          throw new EspalierException(ErrorCode.INTERNAL, "whoever asked is gone");
        }
      });
      return 0;
    } catch (RuntimeException | ServiceConfigurationError | LinkageError failure) {
      failure.printStackTrace();
      System.err.println(
          failure instanceof EspalierException ? failure.getMessage() : failure.toString());
      return 1;
    }
  }
}
