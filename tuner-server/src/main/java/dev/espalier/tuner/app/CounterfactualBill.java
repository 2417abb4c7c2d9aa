package dev.espalier.tuner.app;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.Verdict;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.tuner.app.port.JobQueries.Samples;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/*
 * For each setting s that the job tried, with t_s its measured seconds per clock, c_s its clocks per
 * pass over the data, E passes, and v the mean seconds of an evaluation:
 *
 *   cost(s, E) = E c_s t_s + ceil(E) v
 *
 * expected: the sum of cost(s, epochs) over what did not diverge, and of what the diverged ones ran
 * here. low: the same with bestEpoch. high: the sum of cost(s, epochs) over all.
 */

/// Reckons what random search over the settings of a job would have cost.
public final class CounterfactualBill {
  private CounterfactualBill() {}

  /// What was measured of a setting, over all branches that ran with it.
  private record Measured(long clocks, double seconds, double batchSize, boolean hasDiverged) {
    Measured plus(BranchView branch) {
      return new Measured(
          clocks + branch.clocks(),
          seconds + branch.seconds(),
          batchSize,
          hasDiverged || isDiverged(branch));
    }
  }

  /// @param metric the one that judges the model
  /// @param branches all branches of the job
  public static BillView of(
      JobView job,
      MetricSpec metric,
      Samples samples,
      List<BranchView> branches,
      List<EvaluationView> evaluations) {
    Map<Map<String, Double>, Measured> settings = settings(samples, branches);
    double evaluation = evaluations.isEmpty() ? 0 : job.evaluationSeconds() / evaluations.size();
    double bestEpoch = bestEpoch(metric, evaluations);
    double epochs = longestStart(job, evaluations);
    double low = 0;
    double expected = 0;
    double high = 0;
    for (Measured setting : settings.values()) {
      double whole = cost(setting, job, samples, epochs, evaluation);
      low +=
          setting.hasDiverged()
              ? setting.seconds()
              : cost(setting, job, samples, bestEpoch, evaluation);
      expected += setting.hasDiverged() ? setting.seconds() : whole;
      high += whole;
    }
    int diverged = (int) settings.values().stream().filter(Measured::hasDiverged).count();
    return new BillView(
        job.id(),
        settings.size(),
        diverged,
        epochs,
        bestEpoch,
        job.tuningSeconds() + job.trainingSeconds() + job.evaluationSeconds(),
        Math.min(low, expected),
        expected,
        Math.max(high, expected),
        assumptions(settings.size(), diverged, epochs, bestEpoch));
  }

  private static Map<Map<String, Double>, Measured> settings(
      Samples samples, List<BranchView> branches) {
    var settings = new LinkedHashMap<Map<String, Double>, Measured>();
    for (BranchView branch : branches) {
      if (branch.clocks() > 0 && branch.kind() != BranchKind.EVALUATION) {
        double batchSize =
            branch.setting().getOrDefault(Tunable.BATCH_SIZE, (double) samples.defaultBatchSize());
        settings.merge(
            branch.setting(),
            new Measured(branch.clocks(), branch.seconds(), batchSize, isDiverged(branch)),
            (before, _) -> before.plus(branch));
      }
    }
    return settings;
  }

  private static boolean isDiverged(BranchView branch) {
    return branch.state() == BranchState.FAILED || branch.verdict() == Verdict.DIVERGED;
  }

  private static double cost(
      Measured setting, JobView job, Samples samples, double epochs, double evaluation) {
    double perClock = setting.seconds() / setting.clocks();
    double clocksPerEpoch =
        Math.ceil(samples.training() / Math.max(1, job.workers() * setting.batchSize()));
    return epochs * clocksPerEpoch * perClock + Math.ceil(epochs) * evaluation;
  }

  /// Training that overfits begins anew: what it takes to train once is the longest start.
  private static double longestStart(JobView job, List<EvaluationView> evaluations) {
    return evaluations.stream().mapToDouble(EvaluationView::epoch).reduce(job.epoch(), Math::max);
  }

  private static double bestEpoch(MetricSpec metric, List<EvaluationView> evaluations) {
    double bestEpoch = 0;
    double best =
        metric.goal() == Goal.MAXIMIZE ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    for (EvaluationView evaluation : evaluations) {
      Double value = evaluation.metrics().get(metric.name());
      if (value != null && metric.goal().isBetter(value, best)) {
        best = value;
        bestEpoch = evaluation.epoch();
      }
    }
    return bestEpoch;
  }

  private static List<String> assumptions(
      int settings, int diverged, double epochs, double bestEpoch) {
    if (settings == 0) {
      return List.of("The job has measured no setting yet.");
    }
    var sentences = new ArrayList<String>();
    sentences.add(
        "Random search trains the "
            + settings
            + " settings that this job ran with, each from the start.");
    sentences.add("A clock of a setting takes as long as it took here, on the same workers.");
    sentences.add(
        "Each run is as long as this job's own training, "
            + round(epochs)
            + " epochs, and is evaluated once per epoch, at the mean cost of an evaluation here.");
    sentences.add(
        "Expected: the " + diverged + " that diverged end where they did here; all others run on.");
    sentences.add(
        "Low: each run ends where this job had its best result, at epoch "
            + round(bestEpoch)
            + ".");
    sentences.add("High: no run is ended early, not even one that diverged.");
    sentences.add(
        "Whether one of these settings alone, never changed, would be as good as this job is not known.");
    return sentences;
  }

  private static String round(double epochs) {
    return String.format(Locale.ROOT, "%.4g", epochs).replaceFirst("\\.?0+$", "");
  }
}
