package dev.espalier.api.rest;

import dev.espalier.api.model.PolicyName;
import java.util.List;

/// What a job file need not say; `docs/JOB_FILE.md` shows the same table.
public final class JobDefaults {
  /// Workers of small models wait for each other for longer than they compute, so more than one is
  /// a choice that somebody makes who knows the model.
  public static final int WORKERS = 1;

  public static final JobSpec.Launch LAUNCH = JobSpec.Launch.LOCAL;
  public static final long SEED = 42;

  /// The greatest seed, and the least with its sign turned: `2^53 - 1`. JSON's readers of whole
  /// numbers are sure of no more, a browser's among them (RFC 8259, section 6).
  public static final long MAX_SEED = (1L << 53) - 1;

  /// The most characters that a job's name may have.
  public static final int MAX_NAME = 80;

  public static final String POLICY = PolicyName.RACING;
  public static final String SEARCHER = "tpe";
  public static final int WINDOWS = 10;
  public static final boolean STARTING_LOSS = true;
  public static final int PROBE_CLOCKS = 100;
  public static final double DIVERGENCE_FACTOR = 10;

  /// 0 stands for `auto`: the time that K clocks take.
  public static final double TRIAL_SECONDS = 0;

  public static final int MAX_TRIALS = 24;
  public static final int STOP_BEST = 5;
  public static final double STOP_WITHIN = 0.1;
  public static final int RETUNE_PLATEAU_EPOCHS = 4;
  public static final int MAX_RETUNES = 10;
  public static final int CONVERGE_PLATEAU_EPOCHS = 5;

  /// Not where a job with a mainline names a bound on its time alone.
  public static final double MAX_EPOCHS = 30;

  /// Hyperband's and ASHA's own choice.
  public static final int ETA = 3;

  public static final int GRID_POINTS = 5;

  /// Members train in turn, so a population costs its size; this is the smallest that Jaderberg et
  /// al. 2017 report.
  public static final int POPULATION = 10;

  public static final double INTERVAL_EPOCHS = 1;
  public static final double TRUNCATION = 0.2;
  public static final double RESAMPLE = 0.25;
  public static final double PERTURBATION = 1.2;

  public static final boolean DEFAULT_FIRST = true;

  public static final boolean WARM_START = true;
  public static final boolean HOLD_OUT = false;

  /// 0 stands for no bound.
  public static final double MAX_SECONDS = 0;

  public static final int KEEP_CHECKPOINTS = 2;

  /// 0 stands for no bound.
  public static final double CLOCK_TIMEOUT_SECONDS = 0;

  /// The searchers a job file may name.
  public static final List<String> SEARCHERS = List.of("random", "sobol", "grid", "tpe", "gp");

  private JobDefaults() {}

  /// {@return the default of `converge.plateauEpochs`, which must be more than the other}
  static int convergePlateauEpochs(int retunePlateauEpochs) {
    return Math.max(CONVERGE_PLATEAU_EPOCHS, retunePlateauEpochs + 1);
  }
}
