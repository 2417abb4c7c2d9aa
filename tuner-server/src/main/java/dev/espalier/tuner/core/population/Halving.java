package dev.espalier.tuner.core.population;

import dev.espalier.tuner.core.session.JobPlan;
import java.util.ArrayList;
import java.util.List;

/*
 * Successive halving (Jamieson, Talwalkar 2016) as Hyperband's inner loop has it (Li, Jamieson,
 * DeSalvo, Rostamizadeh, Talwalkar 2018, algorithm 1):
 *
 *   s_max = floor(log_eta(R))          with R = maxEpochs / minEpochs
 *   n     = ceil((s_max + 1) eta^s / (s + 1))        r = R eta^-s
 *   n_i   = floor(n eta^-i)                          r_i = r eta^i
 *
 * and of the n_i runs at rung i the best floor(n_i / eta) go on to rung i + 1.
 */

/// The rungs of one bracket.
///
/// @param s how often it halves at most, 0 for none
/// @param rungs from the shortest to the longest
record Halving(int s, List<Rung> rungs) {
  Halving {
    rungs = List.copyOf(rungs);
  }

  /// @param runs n_i, >= 1
  /// @param epochs r_i in passes over the data
  record Rung(int runs, double epochs) {}

  /// {@return the brackets of one round, the most aggressive first}
  static List<Halving> brackets(JobPlan.Runs options) {
    int most = mostHalvings(options);
    var brackets = new ArrayList<Halving>();
    for (int s = most; s >= 0; s--) {
      double power = Math.pow(options.eta(), s);
      int first = (int) Math.ceil((most + 1) * power / (s + 1) - Run.ROUNDING);
      var rungs = new ArrayList<Rung>();
      for (int i = 0; i <= s; i++) {
        double shrink = Math.pow(options.eta(), i);
        int runs = (int) Math.floor(first / shrink + Run.ROUNDING);
        if (runs < 1) {
          break;
        }
        rungs.add(new Rung(runs, options.maxEpochs() * shrink / power));
      }
      brackets.add(new Halving(s, rungs));
    }
    return brackets;
  }

  /// {@return s_max}
  static int mostHalvings(JobPlan.Runs options) {
    double ratio = options.maxEpochs() / options.minEpochs();
    return Math.max(0, (int) Math.floor(Math.log(ratio) / Math.log(options.eta()) + Run.ROUNDING));
  }

  /// {@return runs that this bracket starts}
  int starts() {
    return rungs.getFirst().runs();
  }
}
