package dev.espalier.api.model;

import java.util.List;

/// The tuning policies, as job files and recordings name them.
public final class PolicyName {
  public static final String RACING = "racing";
  public static final String MLTUNER = "mltuner";
  public static final String FIXED = "fixed";
  public static final String RANDOM = "random";
  public static final String GRID = "grid";
  public static final String BAYES = "bayes";
  public static final String HYPERBAND = "hyperband";
  public static final String ASHA = "asha";
  public static final String PBT = "pbt";

  /// Those that train one mainline; all others train a population of runs.
  public static final List<String> WITH_MAINLINE = List.of(RACING, MLTUNER, FIXED);

  /// Those whose result is the last model that was evaluated; that of all others is the best one.
  public static final List<String> WITH_LAST_AS_RESULT = List.of(MLTUNER, FIXED);

  /// Every policy there is.
  public static final List<String> ALL =
      List.of(RACING, MLTUNER, FIXED, RANDOM, GRID, BAYES, HYPERBAND, ASHA, PBT);

  private PolicyName() {}
}
