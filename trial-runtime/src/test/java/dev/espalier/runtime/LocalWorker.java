package dev.espalier.runtime;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.runtime.branch.LocalCrew;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// The only worker of a job, in the caller's thread: a real program on real tables, without tuner.
final class LocalWorker implements AutoCloseable {
  private static final long MEMORY_BYTES = 256 << 20;
  private static final long SEED = 11;

  private final LocalCrew crew;
  private final List<WorkerReport> reports = new ArrayList<>();

  LocalWorker(
      String name,
      Map<String, String> arguments,
      Optional<Path> data,
      HeldOut heldOut,
      Path checkpoints) {
    crew =
        new LocalCrew(
            () -> ProgramCatalog.named(name),
            UnaryOperator.identity(),
            LocalCrew.assignment(
                ProgramCatalog.named(name).describe(),
                arguments,
                data,
                1,
                SEED,
                heldOut,
                checkpoints),
            MEMORY_BYTES);
  }

  int trainingSamples() {
    return crew.shape().trainingSamples();
  }

  /// Executes a command; a checkpoint is durable then.
  void say(BranchCommand command) throws InterruptedException {
    reports.addAll(crew.execute(command, 1).getFirst());
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

  @Override
  public void close() {
    crew.close();
  }
}
