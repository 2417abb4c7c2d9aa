package dev.espalier.tuner.app;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.tuner.app.port.JobQueries.Tried;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/*
 * For each setting s that the job tried, with t_s the measured seconds per clock of all settings of
 * its batch size (a few clocks of one, the first of cold workers perhaps, say little about the many
 * that its run would have), c_s its clocks per pass over the data, E passes, and v the mean seconds
 * of an evaluation:
 *
 *   cost(s, E) = E c_s t_s + ceil(E) v
 *
 * expected: the sum of cost(s, epochs) over what did not diverge, and of what the diverged ones ran
 * here. low: the same with bestEpoch. high: the sum of cost(s, epochs) over all. A cost is linear in
 * c_s t_s, so their sums over the settings are all that is needed.
 */

/// Reckons what random search over the settings of a job would have cost.
public final class CounterfactualBill {
  private CounterfactualBill() {}

  /// @param metric the one that judges the model
  /// @param tried what all branches of the job came to
  /// @param made all evaluations of the job
  public static BillView of(
      JobView job, MetricSpec metric, Tried tried, List<EvaluationView> made) {
    List<EvaluationView> evaluations = made.stream().filter(EvaluationView::leads).toList();
    double evaluation = job.evaluationSeconds() / Math.max(1, evaluated(job, tried, evaluations));
    double bestEpoch = bestEpoch(metric, evaluations);
    double epochs = longestStart(job, evaluations);
    int converged = tried.settings() - tried.diverged();
    double low =
        cost(converged, tried.epochSeconds(), bestEpoch, evaluation) + tried.divergedSeconds();
    double whole = cost(converged, tried.epochSeconds(), epochs, evaluation);
    double expected = whole + tried.divergedSeconds();
    double high = whole + cost(tried.diverged(), tried.divergedEpochSeconds(), epochs, evaluation);
    return new BillView(
        job.id(),
        tried.settings(),
        tried.diverged(),
        epochs,
        bestEpoch,
        job.tuningSeconds() + job.trainingSeconds() + job.evaluationSeconds(),
        Math.min(low, expected),
        expected,
        Math.max(high, expected),
        assumptions(job, tried, epochs, bestEpoch));
  }

  /// {@return how often a model was evaluated; of the evaluations of a population, one for each
  /// pass of each run, older jobs know only those that were the best so far}
  private static double evaluated(JobView job, Tried tried, List<EvaluationView> leading) {
    return PolicyName.WITH_MAINLINE.contains(job.policy())
        ? leading.size()
        : Math.max(leading.size(), tried.epochs());
  }

  /// @param epochSeconds the sum of `c_s t_s` over `settings`
  private static double cost(
      int settings, double epochSeconds, double epochs, double evaluationSeconds) {
    return epochs * epochSeconds + settings * Math.ceil(epochs) * evaluationSeconds;
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
      JobView job, Tried tried, double epochs, double bestEpoch) {
    if (tried.settings() == 0) {
      return List.of("The job has measured no setting yet.");
    }
    var sentences = new ArrayList<String>();
    if (job.modelled()) {
      sentences.add("All times are by the job's cost model, not by the wall clock.");
    }
    sentences.add(
        "Random search trains the "
            + tried.settings()
            + " settings that this job ran with, each from the start.");
    sentences.add(
        "A clock of a setting takes as long as those of its batch size took here on the average, on"
            + " the same workers.");
    sentences.add(
        "Each run is as long as this job's own training, "
            + round(epochs)
            + " epochs, and is evaluated once per epoch, at the mean cost of an evaluation here.");
    sentences.add(
        "Expected: the "
            + tried.diverged()
            + " that diverged end where they did here; all others run on.");
    sentences.add(
        "Low: each run ends where this job had its best result, at epoch "
            + round(bestEpoch)
            + ".");
    sentences.add("High: no run is ended early, not even one that diverged.");
    sentences.add(
        "Whether one of these settings alone, never changed, would be as good as this job is not"
            + " known.");
    return sentences;
  }

  private static String round(double epochs) {
    return String.format(Locale.ROOT, "%.4g", epochs).replaceFirst("\\.?0+$", "");
  }
}
