package dev.espalier.runtime;

import dev.espalier.api.model.EspalierException;
import dev.espalier.sdk.TrainingProgram;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Entry of a worker process, started by the server.
///
/// ```
/// describe                                     prints the descriptors of its programs as JSON
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
      describe();
      return 0;
    }
    Logger log = LoggerFactory.getLogger(WorkerMain.class);
    try {
      if (args.isEmpty() || !args.getFirst().equals("work")) {
        System.err.println("usage: describe | work --job ID --tuner HOST:PORT --worker N");
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

  /// With programs on the class path only those, so that a jar is described apart from the runtime.
  private static void describe() {
    // What a program prints while it is loaded must not get between the descriptors.
    System.setOut(System.err);
    List<TrainingProgram> declared = ProgramCatalog.declared();
    List<TrainingProgram> programs = declared.isEmpty() ? ProgramCatalog.builtIn() : declared;
    var out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    out.println(Descriptors.json(programs.stream().map(TrainingProgram::describe).toList()));
  }
}
