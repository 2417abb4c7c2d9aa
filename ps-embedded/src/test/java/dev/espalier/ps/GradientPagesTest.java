package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Gradients that are added up in the pages that they become train as those in arrays do, and no
/// page is lost.
final class GradientPagesTest {
  private static final int ROWS = 4099;
  private static final int COLUMNS = 67;
  private static final int LENGTH = ROWS * COLUMNS;
  private static final long BUDGET_BYTES = 256L << 20;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final BranchRef CHILD = new BranchRef(1);
  private static final StepSize STEP = new StepSize(0.1, 0.9);

  private static List<String> rules() {
    return UpdateRule.names();
  }

  private static ParameterServer open(TableSpec table, long budgetBytes) {
    return ParameterServer.open(ParameterServerConfig.of(1, 0, budgetBytes), List.of(table));
  }

  private static TableSpec dense(String rule) {
    return TableSpec.dense("w", ROWS, COLUMNS, rule);
  }

  private static float[] gaussian(Random random) {
    float[] values = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void select(WorkerSession session, BranchRef branch, int staleness) {
    session.select(branch, new Staleness(staleness), STEP);
  }

  private static float[] parameters(WorkerSession session) {
    float[] values = new float[LENGTH];
    session.read(0, 0, ROWS, values, 0);
    return values;
  }

  private static void addAll(WorkerSession session, float[] gradient) {
    session.add(0, 0, ROWS, gradient, 0);
  }

  private static void assertSame(float[] actual, float[] expected, String what) {
    assertThat(Arrays.mismatch(actual, expected)).as(what).isEqualTo(-1);
  }

  /// How a clock adds what it adds: all rows at once, and then some of them again.
  private interface Way {
    void add(WorkerSession session, float[] gradient);
  }

  private static void whole(WorkerSession session, float[] gradient) {
    addAll(session, gradient);
    session.add(0, 7, 0, gradient, 0);
    session.add(0, 17, 1000, gradient, 5);
    session.add(0, new long[] {4098, 3, 3}, 3, gradient);
  }

  /// The same sums, begun with a part, so that they lie in an array.
  private static void inParts(WorkerSession session, float[] gradient) {
    session.add(0, 0, 1, gradient, 0);
    session.add(0, 1, ROWS - 1, gradient, COLUMNS);
    session.add(0, 17, 1000, gradient, 5);
    session.add(0, new long[] {4098, 3, 3}, 3, gradient);
  }

  /// Along a plan, all accesses must lie side by side.
  private static void sideBySide(WorkerSession session, float[] gradient) {
    session.add(0, 0, 2000, gradient, 0);
    session.add(0, 2000, ROWS - 2000, gradient, 2000 * COLUMNS);
    session.add(0, 17, 1000, gradient, 5);
    session.add(0, 4098, 1, gradient, 0);
    session.add(0, 3, 1, gradient, COLUMNS);
    session.add(0, 3, 1, gradient, 2 * COLUMNS);
  }

  /// Trains a root and two generations of forks; all branches' parameters after each clock.
  private static List<float[]> train(
      ParameterServer server, boolean isPlanned, int staleness, Way way) {
    List<float[]> seen = new ArrayList<>();
    Random random = new Random(7);
    try (WorkerSession session = server.session()) {
      if (isPlanned) {
        session.planRepeatedAccess(PlanOptions.all());
      }
      session.create(ROOT);
      for (int number = 0; number < 3; number++) {
        BranchRef branch = new BranchRef(number);
        if (number > 0) {
          session.fork(branch, new BranchRef(number - 1));
        }
        select(session, branch, staleness);
        for (int clock = 0; clock < 3; clock++) {
          seen.add(parameters(session));
          way.add(session, gaussian(random));
          session.tick(4);
        }
        seen.add(parameters(session));
      }
      for (int number = 0; number < 3; number++) {
        select(session, new BranchRef(number), staleness);
        seen.add(parameters(session));
        session.free(new BranchRef(number));
      }
      session.awaitQuiet();
      assertThat(server.stats().pagesInUse()).isZero();
    }
    return seen;
  }

  @ParameterizedTest
  @MethodSource("rules")
  void theyTrainAsArraysDo(String rule) {
    for (int staleness : new int[] {0, 1}) {
      try (ParameterServer arrays = open(dense(rule), BUDGET_BYTES);
          ParameterServer pages = open(dense(rule), BUDGET_BYTES);
          ParameterServer planned = open(dense(rule), BUDGET_BYTES)) {
        List<float[]> expected = train(arrays, false, staleness, GradientPagesTest::inParts);
        List<float[]> unplanned = train(pages, false, staleness, GradientPagesTest::whole);
        List<float[]> alongPlan = train(planned, true, staleness, GradientPagesTest::sideBySide);
        for (int i = 0; i < expected.size(); i++) {
          assertSame(unplanned.get(i), expected.get(i), rule + ", read " + i);
          assertSame(alongPlan.get(i), expected.get(i), rule + " by plan, read " + i);
        }
      }
    }
  }

  @Test
  void largeTablesTrainAsSmallOnesDo() {
    // From 32 MiB on gradients go to their pages past the caches.
    int rows = 9 * (1 << 10);
    int columns = 1 << 10;
    try (ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, BUDGET_BYTES),
                List.of(
                    TableSpec.dense("w", rows, columns, "sgd"),
                    TableSpec.matrix("m", rows, columns, "sgd")));
        WorkerSession session = server.session()) {
      float[] gradient = new float[rows * columns];
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] = i % 4099;
      }
      session.create(ROOT);
      select(session, ROOT, 0);
      for (int table = 0; table < 2; table++) {
        session.add(table, 0, rows, gradient, 0);
      }
      assertThat(server.stats().bytesInUse()).isGreaterThan(2 * 4L * gradient.length);
      session.tick(1);
      float[] values = new float[gradient.length];
      for (int table = 0; table < 2; table++) {
        session.read(table, 0, rows, values, 0);
        for (int i = 0; i < values.length; i++) {
          values[i] += 0.1f * gradient[i];
        }
        assertSame(values, new float[values.length], "table " + table);
      }
    }
  }

  @Test
  void aClockThatUpdatesNothingTakesNone() {
    try (ParameterServer server = open(dense("sgd"), BUDGET_BYTES);
        WorkerSession session = server.session()) {
      session.create(ROOT);
      session.select(ROOT, Staleness.bulkSynchronous(), StepSize.of(0));
      long before = server.stats().pagesInUse();
      addAll(session, new float[LENGTH]);
      assertThat(server.stats().pagesInUse()).isEqualTo(before);
      session.tick(1);
    }
  }

  @Test
  void floatsAddedOneByOneAreKeptWhereTheSettingChangesMeanwhile() {
    int rows = 1 << 18;
    try (ParameterServer server = open(TableSpec.dense("w", rows, 1, "sgd"), BUDGET_BYTES);
        WorkerSession session = server.session()) {
      session.create(ROOT);
      session.beginVirtualIteration();
      for (int row = 0; row < rows; row++) {
        session.add(0, row, 1, new float[1], 0);
      }
      session.endVirtualIteration(PlanOptions.all());
      session.select(ROOT, Staleness.bulkSynchronous(), StepSize.of(0));
      session.add(0, 0, 1, new float[] {3}, 0);
      select(session, ROOT, 0);
      for (int row = 1; row < rows; row++) {
        session.add(0, row, 1, new float[] {1}, 0);
      }
      session.tick(1);
      float[] values = new float[2];
      session.read(0, 0, 2, values, 0);
      assertThat(values).containsExactly(-0.3f, -0.1f);
    }
  }

  /// Tables that no cache holds are stepped into fresh pages by loops of their own, and all of
  /// large ones by several cores.
  @ParameterizedTest
  @MethodSource("rules")
  void largeTablesTrainAsOnePageInPlace(String name) {
    largeTableTrainsAsOnePageInPlace(name, 256 << 10);
  }

  @ParameterizedTest
  @ValueSource(strings = {"momentum", "adarevision"})
  void aLargePageIsSteppedInPieces(String name) {
    largeTableTrainsAsOnePageInPlace(name, 1 << 30);
  }

  private void largeTableTrainsAsOnePageInPlace(String name, long pageBytes) {
    UpdateRule rule = TableSpec.dense("w", 1, 1, name).updateRule();
    int planes = rule.stateArrays() + 1;
    int columns = 1024;
    int rows = 32 * 256 / planes + 3;
    int length = rows * columns;
    long planeBytes = 4L * length;
    float[] gradient = new float[length];
    try (Arena arena = Arena.ofConfined();
        ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 2 * BUDGET_BYTES).withPageBytes(pageBytes, 64 << 10),
                List.of(TableSpec.dense("w", rows, columns, name)));
        WorkerSession session = server.session()) {
      MemorySegment page = arena.allocate(planes * planeBytes, 64);
      session.create(ROOT);
      select(session, ROOT, 0);
      for (int number = 0; number < 5; number++) {
        if (number % 2 == 1) {
          // The clock after the next is in place.
          BranchRef branch = new BranchRef(number);
          session.fork(branch, new BranchRef(Math.max(0, number - 2)));
          select(session, branch, 0);
        }
        var random = new SplittableRandom(number);
        for (int i = 0; i < length; i++) {
          gradient[i] = (float) random.nextDouble(-1, 1);
        }
        // Beginning with one row, sums lie in an array.
        int first = number % 4 == 3 ? 1 : 0;
        session.add(0, 0, first, gradient, 0);
        session.add(0, first, rows - first, gradient, first * columns);
        session.tick(3);
        long clock = number + 1;
        rule.step(
            new ScalarRowKernels(),
            new StepSpan(
                page, page, 0, planeBytes, gradient, 0, rule.takesMeans() ? 3 : 1, length, null),
            STEP,
            clock);
        float[] values = new float[length];
        session.read(0, 0, rows, values, 0);
        float[] expected = page.asSlice(0, planeBytes).toArray(ValueLayout.JAVA_FLOAT);
        assertSame(values, expected, name + " after clock " + clock);
      }
    }
  }

  @Test
  void thereAreSomeOnlyWhereAStepWritesAllPagesAnew() {
    try (ParameterServer server = open(dense("momentum"), BUDGET_BYTES);
        WorkerSession session = server.session()) {
      session.create(ROOT);
      select(session, ROOT, 0);
      assertThat(pagesThere(server, ROOT)).isTrue();
      addAll(session, new float[LENGTH]);
      session.tick(1);
      assertThat(pagesThere(server, ROOT)).isFalse();
      session.fork(CHILD, ROOT);
      assertThat(pagesThere(server, ROOT)).isTrue();
      assertThat(pagesThere(server, CHILD)).isTrue();
      select(session, CHILD, 0);
      session.add(0, 5, 1, new float[COLUMNS], 0);
      session.tick(1);
      assertThat(pagesThere(server, CHILD)).isFalse();
      assertThat(server.shard().gradientPages(new BranchRef(9), 0)).isEmpty();
    }
    try (ParameterServer small = open(TableSpec.dense("w", 1000, 10, "sgd"), BUDGET_BYTES);
        WorkerSession session = small.session()) {
      session.create(ROOT);
      session.fork(CHILD, ROOT);
      assertThat(pagesThere(small, CHILD)).isFalse();
    }
  }

  private static boolean pagesThere(ParameterServer server, BranchRef branch) {
    Optional<RowValues.InPages> pages = server.shard().gradientPages(branch, 0);
    pages.ifPresent(RowValues.InPages::release);
    return pages.isPresent();
  }

  @Test
  void pagesOfAClockThatChangesNothingComeBack() {
    try (ParameterServer server = open(dense("sgd"), BUDGET_BYTES)) {
      try (WorkerSession session = server.session()) {
        session.create(ROOT);
        select(session, ROOT, 0);
        long zeros = server.stats().pagesInUse();
        addAll(session, gaussian(new Random(1)));
        assertThat(server.stats().pagesInUse()).isGreaterThan(zeros);
        session.tick(0);
        session.awaitQuiet();
        assertThat(server.stats().pagesInUse()).isEqualTo(zeros);
        assertSame(parameters(session), new float[LENGTH], "nothing was changed");
        addAll(session, gaussian(new Random(1)));
      }
      assertThat(server.stats().pagesInUse()).as("after a session that did not tick").isOne();
      assertThat(pagesThere(server, ROOT)).isTrue();
    }
  }

  @Test
  void pagesOfAPlanThatIsLeftComeBackAndTheirSumsAreKept() {
    try (ParameterServer server = open(dense("sgd"), BUDGET_BYTES)) {
      try (WorkerSession session = server.session()) {
        session.planRepeatedAccess(PlanOptions.all());
        session.create(ROOT);
        select(session, ROOT, 0);
        float[] gradient = gaussian(new Random(2));
        for (int clock = 0; clock < 3; clock++) {
          addAll(session, gradient);
          session.tick(1);
        }
        float[] before = parameters(session);
        session.fork(CHILD, ROOT);
        select(session, CHILD, 0);
        long pages = server.stats().pagesInUse();
        addAll(session, gradient);
        assertThat(server.stats().pagesInUse()).isEqualTo(2 * pages);
        // No clock before did this.
        session.add(0, 2, 1, gradient, 2 * COLUMNS);
        assertThat(server.stats().pagesInUse()).isEqualTo(pages);
        session.tick(1);
        float[] after = parameters(session);
        for (int i = 0; i < LENGTH; i++) {
          float sum = i / COLUMNS == 2 ? gradient[i] + gradient[i] : gradient[i];
          before[i] -= 0.1f * sum;
        }
        assertSame(after, before, "all sums");
        session.fork(new BranchRef(2), ROOT);
        select(session, new BranchRef(2), 0);
        addAll(session, gradient);
      }
      assertThat(server.stats().pagesInUse()).as("of two branches").isLessThan(200);
    }
  }

  @Test
  void aBudgetWithoutRoomForThemFailsAsOneWithoutRoomForTheStepDoes() {
    // Room for one branch and a half.
    long budgetBytes = LENGTH * 4L * 3 / 2 + (1 << 18);
    try (ParameterServer server = open(dense("sgd"), budgetBytes);
        WorkerSession session = server.session()) {
      session.create(ROOT);
      select(session, ROOT, 0);
      addAll(session, gaussian(new Random(3)));
      session.tick(1);
      float[] expected = parameters(session);
      session.fork(CHILD, ROOT);
      select(session, CHILD, 0);
      addAll(session, gaussian(new Random(4)));
      assertThatThrownBy(
              () -> {
                session.tick(1);
                session.awaitQuiet();
              })
          .isInstanceOf(PsException.class)
          .hasMessageContaining("bytes of the budget are taken");
      session.free(CHILD);
      select(session, ROOT, 0);
      assertSame(parameters(session), expected, "the parent");
      session.tick(1);
    }
  }
}
