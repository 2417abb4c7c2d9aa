package dev.espalier.tuner.core.search;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.apache.commons.math3.random.SobolSequenceGenerator;
import org.apache.commons.math3.special.Erf;

/*
 * Bayesian optimisation as in Snoek, Larochelle, Adams 2012 ("Practical Bayesian Optimization of
 * Machine Learning Algorithms", their Spearmint): a Gaussian process with the Matern 5/2 kernel over
 * the unit cube, its parameters sampled from their posterior, and expected improvement averaged over
 * the samples (section 3.2):
 *
 *   EI(x) = s(x) (z Phi(z) + phi(z)),   z = (m(x) - best) / s(x)
 *
 * Three choices where the paper is silent. `best` is the highest mean at an observed point, not the
 * highest observed value, which under noise is a lucky one. A choice is one coordinate, and candidates
 * are moved to the middle of its cells before anything is computed, so that the model never sees a
 * point that cannot be tried (Garrido-Merchan and Hernandez-Lobato 2020). A diverged setting counts
 * as the worst that did not diverge, and what lies further below the median than twice the best lies
 * above it is cut off there: one blown-up run must not flatten the rest.
 */

/// Proposes the setting with the highest expected improvement; it never ends.
final class GaussianProcessSearcher implements Searcher {
  /// The chain's cost grows with the cube of this; the newest are kept, and the best.
  static final int MAX_OBSERVATIONS = 100;

  private static final int CANDIDATES = 512;
  private static final int LOCAL_STARTS = 4;
  private static final int LOCAL_STEPS = 24;
  private static final double LOCAL_WIDTH = 0.1;
  private static final double CUT_OFF = 2;

  private final SearchSpace space;
  private final long seed;
  private final SobolSearcher startUp;

  GaussianProcessSearcher(SearchSpace space, long seed) {
    this.space = space;
    this.seed = seed;
    this.startUp = new SobolSearcher(space, seed);
  }

  /// {@return settings that are tried before there is a model}
  int startUpDraws() {
    return 2 + space.dimensions();
  }

  @Override
  public Optional<Setting> propose(List<Observation> observations, long draw) {
    boolean isAnyGood = observations.stream().anyMatch(seen -> seen.verdict() != Verdict.DIVERGED);
    if (observations.size() < startUpDraws() || !isAnyGood) {
      return startUp.propose(observations, draw);
    }
    SplittableRandom random = Seeds.stream(Seeds.mix(seed), draw);
    List<Observation> kept = kept(observations);
    double[][] points =
        kept.stream().map(seen -> space.toUnit(seen.setting())).toArray(double[][]::new);
    List<GaussianProcess> processes =
        new KernelSampler(points, standardised(kept), random.split()).sample();
    var acquisition = new Acquisition(processes, points);
    return Optional.of(space.fromUnit(maximise(acquisition, points, random.split())));
  }

  private static List<Observation> kept(List<Observation> observations) {
    if (observations.size() <= MAX_OBSERVATIONS) {
      return observations;
    }
    int half = MAX_OBSERVATIONS / 2;
    int oldCount = observations.size() - half;
    var kept =
        new ArrayList<>(
            observations.subList(0, oldCount).stream()
                .sorted(
                    Comparator.comparing((Observation seen) -> seen.verdict() == Verdict.DIVERGED)
                        .thenComparing(Comparator.comparingDouble(Observation::score).reversed()))
                .limit(half)
                .toList());
    kept.addAll(observations.subList(oldCount, observations.size()));
    return kept;
  }

  /// {@return scores with mean 0 and deviation 1, or all 0 when they do not differ}
  static double[] standardised(List<Observation> observations) {
    double[] good =
        observations.stream()
            .filter(seen -> seen.verdict() != Verdict.DIVERGED)
            .mapToDouble(Observation::score)
            .sorted()
            .toArray();
    double worst = good.length == 0 ? 0 : good[0];
    double[] values =
        observations.stream()
            .mapToDouble(seen -> seen.verdict() == Verdict.DIVERGED ? worst : seen.score())
            .toArray();
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double best = sorted[sorted.length - 1];
    double median = sorted[sorted.length / 2];
    double lowest = best > median ? median - CUT_OFF * (best - median) : sorted[0];
    double mean = 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.max(values[i], lowest);
      mean += values[i] / values.length;
    }
    double variance = 0;
    for (double value : values) {
      variance += (value - mean) * (value - mean) / values.length;
    }
    double scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    double centre = mean;
    return Arrays.stream(values).map(value -> (value - centre) * scale).toArray();
  }

  private double[] maximise(Acquisition acquisition, double[][] seen, SplittableRandom random) {
    List<Candidate> candidates = new ArrayList<>();
    var sequence = new SobolSequenceGenerator(space.dimensions());
    sequence.skipTo(1);
    double[] shift = random.doubles(space.dimensions()).toArray();
    for (int i = 0; i < CANDIDATES; i++) {
      double[] unit = sequence.nextVector();
      for (int d = 0; d < unit.length; d++) {
        unit[d] = (unit[d] + shift[d]) % 1;
      }
      candidates.add(candidate(acquisition, unit));
    }
    double[] incumbent = seen[acquisition.incumbent()];
    for (int i = 0; i < CANDIDATES / 8; i++) {
      double width = LOCAL_WIDTH * Math.pow(0.1, 2 * random.nextDouble());
      candidates.add(candidate(acquisition, near(incumbent, width, random)));
    }
    candidates.sort(Comparator.comparingDouble(Candidate::value).reversed());
    return candidates.stream()
        .limit(LOCAL_STARTS)
        .map(start -> climb(acquisition, start, random))
        .max(Comparator.comparingDouble(Candidate::value))
        .orElseThrow()
        .unit();
  }

  private record Candidate(double[] unit, double value) {}

  /// Moves a point to the one that its setting stands for.
  private Candidate candidate(Acquisition acquisition, double[] unit) {
    double[] possible = space.toUnit(space.fromUnit(unit));
    return new Candidate(possible, acquisition.at(possible));
  }

  private Candidate climb(Acquisition acquisition, Candidate start, SplittableRandom random) {
    Candidate best = start;
    double width = LOCAL_WIDTH;
    for (int i = 0; i < LOCAL_STEPS; i++) {
      Candidate next = candidate(acquisition, near(best.unit(), width, random));
      if (next.value() > best.value()) {
        best = next;
      } else {
        width *= 0.85;
      }
    }
    return best;
  }

  private static double[] near(double[] centre, double width, SplittableRandom random) {
    var unit = new double[centre.length];
    for (int d = 0; d < unit.length; d++) {
      unit[d] = Math.clamp(centre[d] + width * random.nextGaussian(), 0, 1);
    }
    return unit;
  }

  /// Expected improvement, averaged over processes.
  private static final class Acquisition {
    private final List<GaussianProcess> processes;
    private final double[] bests;
    private final int incumbent;

    Acquisition(List<GaussianProcess> processes, double[][] points) {
      this.processes = processes;
      this.bests = new double[processes.size()];
      Arrays.fill(bests, Double.NEGATIVE_INFINITY);
      var sums = new double[points.length];
      for (int p = 0; p < bests.length; p++) {
        for (int i = 0; i < points.length; i++) {
          double mean = processes.get(p).at(points[i]).mean();
          bests[p] = Math.max(bests[p], mean);
          sums[i] += mean;
        }
      }
      int highest = 0;
      for (int i = 1; i < sums.length; i++) {
        highest = sums[i] > sums[highest] ? i : highest;
      }
      this.incumbent = highest;
    }

    /// {@return the observed point with the highest mean}
    int incumbent() {
      return incumbent;
    }

    double at(double[] point) {
      double sum = 0;
      for (int p = 0; p < bests.length; p++) {
        sum += expectedImprovement(processes.get(p).at(point), bests[p]);
      }
      return sum / bests.length;
    }
  }

  /// {@return E[max(0, f - best)] for a value f of which `belief` is the belief}
  static double expectedImprovement(GaussianProcess.Belief belief, double best) {
    double gain = belief.mean() - best;
    if (!(belief.deviation() > 0)) {
      return Math.max(0, gain);
    }
    double z = gain / belief.deviation();
    double below = 0.5 * Erf.erfc(-z / Math.sqrt(2));
    double density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
    return belief.deviation() * (z * below + density);
  }
}
