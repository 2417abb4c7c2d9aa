package dev.espalier.runtime;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;

/// The only worker of a job, in the caller's thread: a real program on real tables, without tuner.
final class LocalWorker implements AutoCloseable {
  private static final long MEMORY_BYTES = 256 << 20;
  private static final long SEED = 11;

  private final TrainingProgram program;
  private final ProgramShape shape;
  private final PsBackend parameters;
  private final BranchExecutor executor;
  private final Queue<WorkerReport> reports = new ConcurrentLinkedQueue<>();

  LocalWorker(
      String name,
      Map<String, String> arguments,
      Optional<Path> data,
      HeldOut heldOut,
      Path checkpoints) {
    program = ProgramCatalog.named(name);
    var all = new HashMap<String, String>();
    program
        .describe()
        .arguments()
        .forEach(argument -> all.put(argument.name(), argument.defaultValue()));
    all.putAll(arguments);
    shape = program.open(new ProgramEnvironment(all, data, 0, 1, SEED));
    ParameterServer server = PsBackend.openServer(1, 0, MEMORY_BYTES, shape.tables());
    parameters = new PsBackend(server, Transport.inProcess(List.of(server.shard())));
    executor =
        new BranchExecutor(
            program,
            shape,
            new Assignment(
                1,
                0,
                1,
                name,
                all,
                data.map(Path::toString).orElse(""),
                SEED,
                checkpoints.toString(),
                heldOut,
                Communication.PLAIN,
                0),
            parameters,
            new CheckpointFolder(checkpoints, 0),
            reports::add,
            () -> {});
  }

  int trainingSamples() {
    return shape.trainingSamples();
  }

  void say(BranchCommand command) throws InterruptedException {
    executor.execute(command);
  }

  /// {@return the mean loss of each clock}
  List<Double> losses(BranchId branch) {
    var losses = new ArrayList<Double>();
    for (WorkerReport report : reports) {
      if (report instanceof WorkerReport.Progressed progressed
          && progressed.branch().equals(branch)) {
        for (int i = 0; i < progressed.lossSums().size(); i++) {
          losses.add(progressed.lossSums().get(i) / progressed.samples().get(i));
        }
      }
    }
    return losses;
  }

  Map<String, Double> evaluation(long number) {
    return reports.stream()
        .filter(WorkerReport.Evaluated.class::isInstance)
        .map(WorkerReport.Evaluated.class::cast)
        .filter(evaluated -> evaluated.evaluation() == number)
        .findFirst()
        .orElseThrow()
        .metrics();
  }

  void awaitCheckpoint() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> reports.stream().anyMatch(WorkerReport.CheckpointWritten.class::isInstance));
  }

  @Override
  public void close() {
    parameters.close();
    program.close();
  }
}
