package dev.espalier.runtime;

import dev.espalier.api.model.EspalierException;
import dev.espalier.runtime.doctor.WorkerExamination;
import dev.espalier.sdk.TrainingProgram;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/// Entry of a worker process, started by the server.
///
/// ```
/// describe                                     prints the descriptors of its own programs as JSON
/// describe-declared                            prints those of the programs that jars declare
/// doctor                                       prints what it finds on the machine as JSON
/// work --job ID --tuner HOST:PORT --worker N   trains; secret and generation in the environment
/// ```
///
/// Exit status: 0 stopped in good order, 1 failed, 2 usage, 3 turned away, 4 other workers lost.
public final class WorkerMain {
  private static final String LOG_CONFIGURATION = "logback.configurationFile";

  private WorkerMain() {}

  public static void main(String[] args) throws InterruptedException {
    // Set here and not in a logback.xml, which would take the place of the user's own in a program
    // that has this jar on its class path.
    if (System.getProperty(LOG_CONFIGURATION) == null) {
      System.setProperty(LOG_CONFIGURATION, "dev/espalier/runtime/worker-logback.xml");
    }
    System.exit(run(List.of(args)));
  }

  private static int run(List<String> args) throws InterruptedException {
    if (args.equals(List.of("describe"))) {
      answer(() -> documents(ProgramCatalog.builtIn()));
      return 0;
    }
    if (args.equals(List.of("describe-declared"))) {
      answer(() -> documents(ProgramCatalog.declared()));
      return 0;
    }
    if (args.equals(List.of("doctor"))) {
      answer(WorkerExamination::examine);
      return 0;
    }
    Logger log = LoggerFactory.getLogger(WorkerMain.class);
    try {
      if (args.isEmpty() || !args.getFirst().equals("work")) {
        System.err.println(
            "usage: describe | describe-declared | doctor | work --job ID --tuner HOST:PORT --worker N");
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

  private static Object documents(List<TrainingProgram> programs) {
    return Descriptors.documents(programs.stream().map(TrainingProgram::describe).toList());
  }

  /// Prints a document; what is printed while it is made must not get between it.
  private static void answer(Supplier<Object> document) {
    System.setOut(System.err);
    var out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    out.println(JsonMapper.builder().build().writeValueAsString(document.get()));
  }
}
