package dev.espalier.runtime.check;

import static dev.espalier.runtime.check.Finding.Verdict.failed;
import static dev.espalier.runtime.check.Finding.Verdict.passed;
import static dev.espalier.runtime.check.Finding.Verdict.skipped;
import static dev.espalier.runtime.check.Finding.Verdict.warned;
import static dev.espalier.runtime.check.Trial.ROOT;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.runtime.branch.BranchExecutor;
import dev.espalier.runtime.check.Finding.Verdict;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TableDeclaration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// Whether two workers do together what one does alone.
final class WorkerChecks {
  private static final int STALENESS = 2;

  /// How far sums may differ that are added up in another order.
  private static final double ROUNDING = 1e-3;

  /// By how much the steps of other random numbers may be shorter or longer; means in place of sums
  /// make them twice as long.
  private static final double CHANCE = 0.5;

  /// How far parts may be from the whole: samples may weigh differently, as sequences do.
  private static final double PARTS = 0.05;

  private WorkerChecks() {}

  static List<Check> all(int clocks) {
    return List.of(
        Check.of("two workers share the samples", WorkerChecks::shareTraining),
        Check.of("gradients are sums", WorkerChecks::sums),
        Check.of("two workers share the evaluation", WorkerChecks::shareEvaluation),
        Check.of("parts of the validation samples judge", subject -> measureParts(subject, clocks)),
        Check.of("two workers train", subject -> trainTogether(subject, clocks)));
  }

  /// Two workers with half the batch have the samples of one with all of it.
  private static Setting halved(Subject subject, double batch) {
    return subject.setting().with(Tunable.BATCH_SIZE, batch / 2);
  }

  private static double evenBatch(Subject subject, Trial trial) {
    double usual = Math.min(trial.shape().defaultBatchSize(), trial.trainingSamples());
    double batch = subject.setting().valueOr(Tunable.BATCH_SIZE, usual);
    return Math.max(2, batch - batch % 2);
  }

  /// @param draws whether it drew from `context.random()`
  private record Clock(
      ProgramShape shape,
      double batch,
      Trial.Clocks ran,
      Map<String, float[]> steps,
      boolean draws) {}

  /// {@return the first clock, and how far it moved the parameters}
  private static Clock first(Subject subject, int workers) throws InterruptedException {
    var draws = new AtomicBoolean();
    Subject watched = subject.madeBy(() -> new ChanceWatch(subject.makes().get(), draws));
    try (Trial trial = Trial.open(watched, workers)) {
      double batch = evenBatch(subject, trial);
      trial.create(
          workers == 1
              ? subject.setting().with(Tunable.BATCH_SIZE, batch)
              : halved(subject, batch));
      Map<String, float[]> steps = trial.parameters(ROOT).values();
      Trial.Clocks ran = trial.run(ROOT, 1);
      trial
          .parameters(ROOT)
          .values()
          .forEach((table, after) -> {
            float[] step = steps.get(table);
            for (int i = 0; step != null && i < after.length; i++) {
              step[i] = after[i] - step[i];
            }
          });
      return new Clock(trial.shape(), batch, ran, steps, draws.get());
    }
  }

  private static Verdict shareTraining(Subject subject) throws InterruptedException {
    if (subject.tunable(Tunable.BATCH_SIZE).isEmpty()) {
      return skipped("there is no tunable batchSize: a clock may be what it likes");
    }
    Clock one = first(subject, 1);
    Clock two = first(subject, 2);
    if (one.shape.isDealtOut()) {
      return skipped("samples are dealt out, so that a worker alone has others");
    }
    if (two.ran.samples(0) != one.ran.samples(0)) {
      return failed(
          "two workers with half the batch used %d samples in a clock, one with all of it %d; use"
              + " all of context.samples() and no others",
          two.ran.samples(0), one.ran.samples(0));
    }
    if (near(one.ran.lossSum(0), two.ran.lossSum(0))) {
      return passed("the same %d samples have the same loss", one.ran.samples(0));
    }
    double ratio = two.ran.lossSum(0) / one.ran.lossSum(0);
    return one.draws && !isFar(ratio, CHANCE)
        ? passed(
            "%d samples have loss %s at one worker and %s at two, which draw other numbers from"
                + " context.random()",
            one.ran.samples(0), one.ran.meanLoss(0), two.ran.meanLoss(0))
        : warned(
            "the same %d samples have loss %s at one worker and %s at two, more than draws from"
                + " context.random() explain; that is right only where samples of a clock are felt"
                + " by each other",
            one.ran.samples(0), one.ran.meanLoss(0), two.ran.meanLoss(0));
  }

  /// With the plain rule the first step tells what was added.
  private static Verdict sums(Subject subject) throws InterruptedException {
    Subject plain = subject.shapedBy(WorkerChecks::withPlainRule);
    Clock one = first(plain, 1);
    Clock two = first(plain, 2);
    if (one.shape.isDealtOut()) {
      return skipped("samples are dealt out, so that a worker alone has others");
    }
    if (!one.draws && !near(one.ran.lossSum(0), two.ran.lossSum(0))) {
      return skipped("the workers' samples cannot be compared");
    }
    double slack = one.draws ? CHANCE : 10 * ROUNDING;
    for (TableDeclaration table : one.shape.tables()) {
      float[] alone = one.steps.getOrDefault(table.name(), new float[0]);
      float[] together = two.steps.getOrDefault(table.name(), new float[0]);
      double ratio = ratio(alone, together);
      if (isFar(ratio, slack)) {
        return failed(
            "two workers move table %s %.2f times as far as one does with the same samples; %s",
            table.name(),
            ratio,
            ratio > 1.5
                ? "add the sum of the samples' gradients and not their mean: the server divides"
                : "add the sum of the gradients of context.samples() and nothing else");
      }
    }
    return passed(
        one.draws
            ? "two workers step about as far as one does, which draws other numbers"
            : "two workers step as far as one does");
  }

  /// Half as much is as far as twice as much.
  private static boolean isFar(double ratio, double slack) {
    return ratio <= 0 || Math.abs(Math.log(ratio)) > Math.log1p(slack);
  }

  private static ProgramShape withPlainRule(ProgramShape shape) {
    return new ProgramShape(
        shape.tables().stream()
            .map(table ->
                table.rule().equals("add")
                    ? table
                    : new TableDeclaration(
                        table.name(),
                        table.rows(),
                        table.columns(),
                        "sgd",
                        Map.of(),
                        table.access()))
            .toList(),
        shape.trainingSamples(),
        shape.defaultBatchSize(),
        shape.samplesPerRun(),
        shape.isDealtOut(),
        shape.validationSamples());
  }

  /// {@return the length of a step over that of another; 1 where neither moves}
  private static double ratio(float[] of, float[] over) {
    double one = length(of);
    double other = length(over);
    return one == other ? 1 : other / one;
  }

  private static double length(float[] step) {
    double squares = 0;
    for (float value : step) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares);
  }

  private static Verdict shareEvaluation(Subject subject) throws InterruptedException {
    List<WorkerReport.Evaluated> alone = evaluated(subject, 1);
    List<WorkerReport.Evaluated> together = evaluated(subject, 2);
    long samples = alone.getFirst().samples();
    long shared = together.stream().mapToLong(WorkerReport.Evaluated::samples).sum();
    // A program that measures no samples has a weight of one in their place.
    if (samples != shared && samples > 1) {
      return failed(
          "evaluate measures %d samples at one worker and %d at two; measure this worker's part,"
              + " context.share(from, to)",
          samples, shared);
    }
    for (MetricSpec metric : subject.descriptor().validation()) {
      double one = metric.joined(alone).orElse(Double.NaN);
      double two = metric.joined(together).orElse(Double.NaN);
      if (!near(one, two)) {
        return warned(
            "%s is %s at one worker and %s put together from two; it must be a mean over the"
                + " samples that are this worker's, or a root of one whose MetricSpec says"
                + " ROOT_MEAN_SQUARE",
            metric.name(), one, two);
      }
    }
    return passed("%d samples in two parts", samples);
  }

  private static Verdict measureParts(Subject subject, int clocks) throws InterruptedException {
    try (Trial trial = Trial.begin(subject.judgedByValidation(), 1)) {
      int samples = trial.shape().validationSamples();
      if (samples <= BranchExecutor.PROBE_BLOCK) {
        return skipped("there are %d validation samples that can be measured in parts", samples);
      }
      // Untrained models often have the same loss for all samples.
      trial.run(ROOT, clocks);
      WorkerReport.Evaluated probed = trial.probed(ROOT).getFirst();
      List<Double> parts = probed.losses();
      WorkerReport.Evaluated whole = trial.evaluate(ROOT).getFirst();
      List<MetricSpec> metrics = subject.descriptor().validation();
      MetricSpec judged = MetricSpec.lossOf(metrics, whole.otherSamples().keySet());
      if (parts.stream().distinct().count() == 1) {
        return failed(
            "%s is the same for all %d parts of the validation samples; measure context.share(from,"
                + " to) and nothing else, or leave withValidationSamples out",
            judged.name(), parts.size());
      }
      return apart(judged, parts, whole, samples)
          .or(() ->
              probed.scores().isEmpty()
                  ? Optional.empty()
                  : apart(metrics.getFirst(), probed.scores(), whole, samples))
          .or(() -> misjudged(judged, metrics, whole))
          .orElseGet(() -> passed("%d parts of %s come to the whole", parts.size(), judged.name()));
    }
  }

  /// {@return what to say where a loss is there, and is kept from judging}
  private static Optional<Verdict> misjudged(
      MetricSpec judged, List<MetricSpec> metrics, WorkerReport.Evaluated whole) {
    return metrics.stream()
        .filter(metric -> judged.goal() == Goal.MAXIMIZE && metric.goal() == Goal.MINIMIZE)
        .filter(metric -> whole.otherSamples().containsKey(metric.name()))
        .findFirst()
        .map(loss ->
            warned(
                "%s judges races, for evaluate says that %s is of other samples; if it is of the"
                    + " same, say Evaluation.with(metric, value), without a count",
                judged.name(), loss.name()));
  }

  /// {@return what is wrong where parts do not come to the whole}
  private static Optional<Verdict> apart(
      MetricSpec metric, List<Double> parts, WorkerReport.Evaluated whole, int samples) {
    double all = metric.asLoss(whole.metrics().getOrDefault(metric.name(), Double.NaN));
    double joined = mean(parts, samples);
    return Math.abs(joined - all) <= PARTS * (ROUNDING + Math.abs(all))
        ? Optional.empty()
        : Optional.of(
            failed(
                "%s comes to %s over %d parts of the validation samples and to %s over all of"
                    + " them; it must be a mean over what context.share(from, to) gives, or the"
                    + " root of one",
                metric.name(), joined, parts.size(), all));
  }

  /// {@return the mean over all samples}
  ///
  /// @param parts means over as many samples each, but for the last one
  private static double mean(List<Double> parts, int samples) {
    double sum = 0;
    int left = samples;
    for (double part : parts) {
      int size = Math.min(BranchExecutor.PROBE_BLOCK, left);
      sum += part * size;
      left -= size;
    }
    return sum / samples;
  }

  private static List<WorkerReport.Evaluated> evaluated(Subject subject, int workers)
      throws InterruptedException {
    try (Trial trial = Trial.begin(subject, workers)) {
      return trial.evaluate(ROOT);
    }
  }

  private static boolean near(double one, double other) {
    return one == other
        || Math.abs(one - other) <= ROUNDING * (1e-3 + Math.max(Math.abs(one), Math.abs(other)));
  }

  private static Verdict trainTogether(Subject subject, int clocks) throws InterruptedException {
    for (int staleness : List.of(0, STALENESS)) {
      Setting setting = subject.setting().with(Tunable.STALENESS, staleness);
      try (Trial trial = Trial.open(subject, 2, staleness)) {
        trial.create(setting);
        Trial.Clocks ran = trial.run(ROOT, 2 * clocks);
        if (!Double.isFinite(ran.lossSum(ran.count() - 1))) {
          return warned(
              "the loss is %s after %d clocks of two workers with staleness %d",
              ran.lossSum(ran.count() - 1), ran.count(), staleness);
        }
      }
    }
    return passed("%d clocks, also with staleness %d", 2 * clocks, STALENESS);
  }
}
