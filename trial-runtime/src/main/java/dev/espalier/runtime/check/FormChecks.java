package dev.espalier.runtime.check;

import static dev.espalier.runtime.check.Finding.Verdict.failed;
import static dev.espalier.runtime.check.Finding.Verdict.passed;
import static dev.espalier.runtime.check.Finding.Verdict.skipped;
import static dev.espalier.runtime.check.Finding.Verdict.warned;
import static dev.espalier.runtime.check.Trial.ROOT;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.runtime.branch.ProgramFailure;
import dev.espalier.runtime.check.Finding.Verdict;
import dev.espalier.sdk.ForwardingProgram;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Whether a program says what it is, and then does it: description, losses, metrics.
final class FormChecks {
  /// How long the pass over the training samples may take.
  private static final double EPOCH_SECONDS = 10;

  private FormChecks() {}

  static List<Check> all(int clocks) {
    return List.of(
        Check.needed("describes itself", FormChecks::describes),
        Check.needed("opens", FormChecks::opens),
        Check.needed("trains", subject -> trains(subject, clocks)),
        Check.of("evaluates what it describes", FormChecks::evaluates),
        Check.of("goes through its samples", FormChecks::goesThroughAll),
        Check.of("lets a branch diverge", FormChecks::diverges));
  }

  private static Verdict describes(Subject subject) {
    ProgramDescriptor descriptor = subject.descriptor();
    try (TrainingProgram another = subject.makes().get()) {
      if (!another.describe().equals(descriptor)) {
        return failed("describe gives another description each time; let it hold constants only");
      }
    }
    return descriptor.tunables().isEmpty()
        ? warned("%s names no tunable, so the tuner has nothing to search", subject.name())
        : passed(
            "%s; tunables %s; metrics %s",
            subject.name(),
            String.join(", ", descriptor.tunables().stream().map(Tunable::name).toList()),
            String.join(", ", subject.metrics()));
  }

  private static Verdict opens(Subject subject) {
    var shapes = new ArrayList<ProgramShape>();
    for (int worker = 0; worker < 2; worker++) {
      try (TrainingProgram program = subject.makes().get()) {
        shapes.add(
            ProgramFailure.requireReturned(
                program.describe().name(),
                program.open(
                    new ProgramEnvironment(
                        subject.arguments(), subject.data(), worker, 2, subject.seed())),
                "open"));
      }
    }
    ProgramShape shape = shapes.getFirst();
    if (!shape.equals(shapes.getLast())) {
      return failed(
          "open says %s at one worker and %s at another; all of them declare the same tables and"
              + " the number of all training samples",
          shape, shapes.getLast());
    }
    return passed(
        "%d training samples; %s",
        shape.trainingSamples(),
        String.join(
            ", ",
            shape.tables().stream()
                .map(table ->
                    "%s %d x %d by %s"
                        .formatted(table.name(), table.rows(), table.columns(), table.rule()))
                .toList()));
  }

  private static Verdict trains(Subject subject, int clocks) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      Map<String, Long> before = trial.parameters(ROOT).hash();
      Trial.Clocks ran = trial.run(ROOT, 2 * clocks);
      for (int clock = 0; clock < ran.count(); clock++) {
        if (!Double.isFinite(ran.lossSum(clock))) {
          return failed(
              "the loss of clock %d is %s with the default setting %s",
              clock + 1, ran.lossSum(clock), subject.setting().values());
        }
      }
      if (trial.parameters(ROOT).hash().equals(before)) {
        return failed(
            "no table has changed after %d clocks; add the samples' gradients to the tables in"
                + " clock",
            ran.count());
      }
      String losses =
          "mean loss %.4g in the first clock, %.4g in clock %d"
              .formatted(ran.meanLoss(0), ran.meanLoss(ran.count() - 1), ran.count());
      return passed(losses);
    }
  }

  private static Verdict evaluates(Subject subject) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, 1);
      WorkerReport.Evaluated measured = trial.evaluate(ROOT).getFirst();
      List<String> missing =
          subject.metrics().stream().filter(name -> !measured.metrics().containsKey(name)).toList();
      if (!missing.isEmpty()) {
        return failed(
            "describe lists metric %s, but evaluate gives only %s",
            String.join(", ", missing), measured.metrics().keySet());
      }
      if (measured.samples() == 0) {
        return failed(
            "evaluate measured 0 samples, so its metrics weigh nothing; give it validation"
                + " samples, and the number of those that it measured");
      }
      List<String> odd =
          measured.metrics().entrySet().stream()
              .filter(metric -> !Double.isFinite(metric.getValue()))
              .map(metric -> metric.getKey() + " " + metric.getValue())
              .toList();
      if (!odd.isEmpty()) {
        return failed("evaluate gives %s after one clock", String.join(", ", odd));
      }
      return passed("%s over %d samples", measured.metrics(), measured.samples());
    }
  }

  private static Verdict goesThroughAll(Subject subject) throws InterruptedException {
    Subject quick =
        subject
            .tunable(Tunable.BATCH_SIZE)
            .map(batch -> subject.with(Tunable.BATCH_SIZE, batch.fromUnit(1)))
            .orElse(subject);
    try (Trial trial = Trial.begin(quick, 1)) {
      long batch = (long) quick.setting().valueOr(Tunable.BATCH_SIZE, trial.defaultBatchSize());
      long clocks = Math.max(1, Math.ceilDiv(trial.trainingSamples(), batch));
      long start = System.nanoTime();
      long ran = 0;
      while (ran < clocks && (System.nanoTime() - start) / 1e9 < EPOCH_SECONDS) {
        trial.run(ROOT, 1);
        ran++;
      }
      return ran == clocks
          ? passed("one pass over %d samples, %d a clock", trial.trainingSamples(), batch)
          : warned(
              "saw %d of %d samples in %d seconds, and no more were tried",
              ran * batch, trial.trainingSamples(), (int) EPOCH_SECONDS);
    }
  }

  /// What a branch is whose rate is too high.
  private static Verdict diverges(Subject subject) throws InterruptedException {
    Subject spoiled = subject.madeBy(() -> new WithoutNumbers(subject.makes().get()));
    try (Trial trial = Trial.open(spoiled, 1)) {
      List<TableDeclaration> learning = WithoutNumbers.learning(trial.shape());
      if (learning.isEmpty()) {
        return skipped("no table has a rule that learns");
      }
      trial.create(subject.setting());
      double loss;
      try {
        loss = trial.run(ROOT, 1).meanLoss(0);
        trial.evaluate(ROOT);
      } catch (RuntimeException failure) {
        return failed(
            "with parameters that are not numbers any more, as after too high a learning rate: %s;"
                + " give the loss as it is, NaN, and the tuner drops the branch and not the job",
            ProgramCheck.sentence(subject.name(), failure));
      }
      return Double.isFinite(loss)
          ? failed(
              "the loss is %s though no parameter is a number any more; a loss that hides this"
                  + " makes a branch that diverged look good",
              loss)
          : passed("the loss of parameters that are not numbers is %s", loss);
    }
  }

  /// A program whose parameters are no numbers from the first clock on.
  private static final class WithoutNumbers extends ForwardingProgram {
    private List<TableDeclaration> tables = List.of();

    WithoutNumbers(TrainingProgram program) {
      super(program);
    }

    static List<TableDeclaration> learning(ProgramShape shape) {
      return shape.tables().stream().filter(table -> !table.rule().equals("add")).toList();
    }

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      ProgramShape shape = super.open(environment);
      tables = learning(shape);
      return shape;
    }

    @Override
    public void initialise(ProgramContext context) {
      super.initialise(context);
      for (TableDeclaration declaration : tables) {
        ParameterTable table = context.table(declaration.name());
        float[] row = new float[table.columns()];
        Arrays.fill(row, Float.NaN);
        for (long i = 0; i < table.rows(); i++) {
          table.assign(i, 1, row, 0);
        }
      }
    }
  }
}
