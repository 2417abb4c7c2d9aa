package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/// Random commands to a cluster and to the naive model, with equal bits demanded of every read.
///
/// One thread plays all workers, so it reads only where a read may be served.
final class RandomCommands {

  /// What one worker pushed.
  private record Pushed(Map<Integer, TreeMap<Long, float[]>> sums, long samples) {}

  /// What the model knows of a branch's clocks.
  private static final class Clocks {
    private final long[] ticks;
    private final TreeMap<Long, Pushed[]> held = new TreeMap<>();
    private final StepSize stepSize;

    private Clocks(int workers, StepSize stepSize) {
      ticks = new long[workers];
      this.stepSize = stepSize;
    }
  }

  private final Cluster cluster;
  private final List<TableSpec> tables;
  private final Staleness staleness;
  private final Random random;
  private final long seed;
  private final NaiveParameterServer model;
  private final Map<Integer, Clocks> branches = new HashMap<>();
  private int nextBranch = 1;

  RandomCommands(Cluster cluster, List<TableSpec> tables, Staleness staleness, long seed) {
    this.cluster = cluster;
    this.tables = tables;
    this.staleness = staleness;
    this.seed = seed;
    random = new Random(seed);
    model = new NaiveParameterServer(tables);
  }

  void run(int commands) {
    for (int rank = 0; rank < cluster.workers(); rank++) {
      cluster.session(rank).create(new BranchRef(0));
    }
    model.create(0);
    branches.put(0, clocks());
    for (int i = 0; i < commands; i++) {
      command(i);
    }
    for (int branch : List.copyOf(branches.keySet())) {
      free(branch);
    }
    for (int rank = 0; rank < cluster.workers(); rank++) {
      cluster.session(rank).awaitQuiet();
    }
    assertThat(cluster.pagesInUse()).as("seed %d", seed).isZero();
  }

  private Clocks clocks() {
    StepSize stepSize =
        random.nextInt(8) == 0
            ? StepSize.noUpdate()
            : new StepSize(
                random.nextDouble(), random.nextBoolean() ? Double.NaN : random.nextDouble());
    return new Clocks(cluster.workers(), stepSize);
  }

  private void command(int number) {
    List<Integer> alive = List.copyOf(branches.keySet());
    int branch = alive.get(random.nextInt(alive.size()));
    int dice = random.nextInt(20);
    if (dice < 8) {
      clockOf(branch, random.nextInt(cluster.workers()), number);
    } else if (dice < 14) {
      read(branch, random.nextInt(cluster.workers()), number);
    } else if (dice == 14) {
      assign(branch);
    } else if (dice < 18 && branches.size() < 12) {
      fork(branch);
    } else if (branches.size() > 2) {
      level(branch);
      free(branch);
    }
  }

  private WorkerSession select(int branch, int rank) {
    WorkerSession session = cluster.session(rank);
    session.select(new BranchRef(branch), staleness, branches.get(branch).stepSize);
    return session;
  }

  private boolean mayRead(int branch, int rank) {
    long[] ticks = branches.get(branch).ticks;
    for (int other = 0; other < ticks.length; other++) {
      if (other != rank && ticks[other] < ticks[rank] - staleness.bound()) {
        return false;
      }
    }
    return true;
  }

  private void read(int branch, int rank, int number) {
    if (!mayRead(branch, rank)) {
      return;
    }
    int table = random.nextInt(tables.size());
    TableSpec spec = tables.get(table);
    WorkerSession session = select(branch, rank);
    long[] rows = rows(spec);
    float[] values = new float[rows.length * spec.columns()];
    if (isRun(rows)) {
      session.read(table, rows[0], rows.length, values, 0);
    } else {
      session.read(table, rows, rows.length, values);
    }
    for (int i = 0; i < rows.length; i++) {
      float[] row = new float[spec.columns()];
      System.arraycopy(values, i * spec.columns(), row, 0, spec.columns());
      assertThat(row)
          .as("seed %d command %d branch %d %s row %d", seed, number, branch, spec, rows[i])
          .containsExactly(model.read(branch, table, rows[i]));
    }
  }

  private void clockOf(int branch, int rank, int number) {
    read(branch, rank, number);
    WorkerSession session = select(branch, rank);
    Map<Integer, TreeMap<Long, float[]>> sums = new TreeMap<>();
    int additions = random.nextInt(4);
    for (int i = 0; i < additions; i++) {
      add(session, sums);
    }
    long samples = random.nextInt(4);
    session.tick(samples);
    if (staleness.bound() > 0) {
      // The model applies workers' updates in the order in which they ticked; on a real network
      // only an acknowledged update is sure to come before another worker's.
      session.awaitQuiet();
    }
    Clocks clocks = branches.get(branch);
    Pushed pushed = new Pushed(sums, samples);
    long clock = clocks.ticks[rank]++;
    if (staleness.bound() > 0) {
      applyAlone(branch, pushed);
    } else {
      clocks.held.computeIfAbsent(clock, _ -> new Pushed[cluster.workers()])[rank] = pushed;
      applyComplete(branch);
    }
  }

  private void add(WorkerSession session, Map<Integer, TreeMap<Long, float[]>> sums) {
    int table = random.nextInt(tables.size());
    TableSpec spec = tables.get(table);
    long[] rows = rows(spec);
    float[] values = new float[rows.length * spec.columns()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    if (isRun(rows)) {
      session.add(table, rows[0], rows.length, values, 0);
    } else {
      session.add(table, rows, rows.length, values);
    }
    TreeMap<Long, float[]> ofTable = sums.computeIfAbsent(table, _ -> new TreeMap<>());
    for (int i = 0; i < rows.length; i++) {
      float[] row = new float[spec.columns()];
      System.arraycopy(values, i * spec.columns(), row, 0, spec.columns());
      ofTable.merge(rows[i], row, RandomCommands::plus);
    }
  }

  private static float[] plus(float[] a, float[] b) {
    float[] sum = a.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += b[i];
    }
    return sum;
  }

  private void applyAlone(int branch, Pushed pushed) {
    StepSize stepSize = branches.get(branch).stepSize;
    if (pushed.samples > 0 && stepSize.updates()) {
      model.apply(branch, pushed.sums, pushed.samples * cluster.workers(), stepSize);
    }
  }

  private void applyComplete(int branch) {
    Clocks clocks = branches.get(branch);
    while (!clocks.held.isEmpty() && isComplete(clocks.held.firstEntry().getValue())) {
      Pushed[] all = clocks.held.pollFirstEntry().getValue();
      Map<Integer, TreeMap<Long, float[]>> sums = new TreeMap<>();
      long samples = 0;
      for (Pushed one : all) {
        samples += one.samples;
        one.sums.forEach((table, rows) -> {
          TreeMap<Long, float[]> ofTable = sums.computeIfAbsent(table, _ -> new TreeMap<>());
          rows.forEach((row, sum) -> ofTable.merge(row, sum, RandomCommands::plus));
        });
      }
      if (samples > 0 && clocks.stepSize.updates()) {
        model.apply(branch, sums, samples, clocks.stepSize);
      }
    }
  }

  private static boolean isComplete(Pushed[] all) {
    for (Pushed one : all) {
      if (one == null) {
        return false;
      }
    }
    return true;
  }

  private void assign(int branch) {
    // On a real network a worker's assignment may arrive before another one's last update.
    for (int rank = 0; rank < cluster.workers(); rank++) {
      cluster.session(rank).awaitQuiet();
    }
    int rank = random.nextInt(cluster.workers());
    int table = random.nextInt(tables.size());
    TableSpec spec = tables.get(table);
    float[] values = new float[spec.columns()];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    long row = random.nextLong(spec.rows());
    select(branch, rank).assign(table, row, 1, values, 0);
    model.assign(branch, table, row, values);
    cluster.session(rank).awaitQuiet();
  }

  /// Lets every worker end the same clocks, as a real job does before a fork.
  private void level(int branch) {
    Clocks clocks = branches.get(branch);
    long most = 0;
    for (long ticks : clocks.ticks) {
      most = Math.max(most, ticks);
    }
    for (int rank = 0; rank < cluster.workers(); rank++) {
      while (clocks.ticks[rank] < most) {
        clockOf(branch, rank, -1);
      }
    }
  }

  private void fork(int parent) {
    level(parent);
    int child = nextBranch++;
    for (int rank = 0; rank < cluster.workers(); rank++) {
      cluster.session(rank).fork(new BranchRef(child), new BranchRef(parent));
    }
    model.fork(child, parent);
    branches.put(child, clocks());
  }

  private void free(int branch) {
    for (int rank = 0; rank < cluster.workers(); rank++) {
      cluster.session(rank).free(new BranchRef(branch));
    }
    model.free(branch);
    branches.remove(branch);
  }

  /// All rows, a run of rows, or some rows in random order, each once.
  private long[] rows(TableSpec spec) {
    int all = (int) spec.rows();
    return switch (random.nextInt(3)) {
      case 0 -> run(0, all);
      case 1 -> {
        int first = random.nextInt(all);
        yield run(first, 1 + random.nextInt(all - first));
      }
      default -> random.ints(1 + random.nextInt(20), 0, all).distinct().asLongStream().toArray();
    };
  }

  private static long[] run(int first, int count) {
    long[] rows = new long[count];
    for (int i = 0; i < count; i++) {
      rows[i] = first + i;
    }
    return rows;
  }

  private static boolean isRun(long[] rows) {
    for (int i = 1; i < rows.length; i++) {
      if (rows[i] != rows[0] + i) {
        return false;
      }
    }
    return true;
  }
}
