package dev.espalier.ps.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.table.PageSource;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PlanCompilerTest {
  private static final int ROWS = 100;

  private static AccessPlan compile(ClockLog log, int shards) {
    return PlanCompiler.compile(log, List.of(new Partitioner(ROWS, shards)));
  }

  private static PlanRun run(AccessPlan plan, int columns, int shards) {
    return new PlanRun(
        plan,
        new int[] {columns},
        shards,
        new ScalarRowKernels(),
        float[]::new,
        PageSource.NONE,
        PlanOptions.all());
  }

  @Test
  void rowsArePackedInAscendingOrderOncePerShard() {
    ClockLog log = new ClockLog(1);
    log.addRows(false, 0, new long[] {70, 3, 70, 9}, 4);
    log.addRange(false, 0, 60, 3);

    PackedRows reads = requireNonNull(compile(log, 2).reads(0));

    assertThat(reads.rows()).containsExactly(3, 9, 60, 61, 62, 70);
    assertThat(reads.parts().get(0).rows()).isInstanceOf(RowSelection.Keys.class);
    assertThat(reads.parts().get(0).rows().count()).isEqualTo(2);
    assertThat(reads.parts().get(1).firstSlot()).isEqualTo(2);
    assertThat(reads.parts().get(1).rows().count()).isEqualTo(4);
  }

  @Test
  void consecutiveRowsOfAShardAreARange() {
    ClockLog log = new ClockLog(1);
    log.addRange(false, 0, 10, 20);
    log.addRange(false, 0, 30, 5);

    PackedRows reads = requireNonNull(compile(log, 1).reads(0));

    assertThat(reads.parts())
        .containsExactly(new PackedRows.Part(0, new RowSelection.Range(10, 25)));
  }

  @Test
  void aTableThatIsNotTouchedHasNoRows() {
    ClockLog log = new ClockLog(1);
    log.addRange(true, 0, 0, 1);

    AccessPlan plan = compile(log, 1);

    assertThat(plan.reads(0)).isNull();
    assertThat(plan.updates(0)).isNotNull();
  }

  @Test
  void readsAreServedFromSlotsInTheOrderOfTheLog() {
    ClockLog log = new ClockLog(1);
    log.addRows(false, 0, new long[] {70, 3, 70}, 3);
    log.addRange(false, 0, 3, 1);
    PlanRun run = run(compile(log, 1), 2, 1);
    float[] bySlot = {1, 2, 3, 4};
    float[] target = new float[6];
    run.serve(new float[][] {bySlot});

    assertThat(run.isNextRead(0, 3, 1)).isFalse();
    assertThat(run.isNextRead(0, new long[] {70, 3, 70, 5}, 3)).isTrue();
    run.readNext(0, target, 0);
    assertThat(target).containsExactly(3, 4, 1, 2, 3, 4);

    assertThat(run.isNextRead(0, 3, 1)).isTrue();
    run.readNext(0, target, 4);
    assertThat(target).containsExactly(3, 4, 1, 2, 1, 2);
    assertThat(run.isComplete()).isTrue();
  }

  @Test
  void updatesOfOneRowAreSummedAndNothingStaysForTheNextClock() {
    ClockLog log = new ClockLog(1);
    log.addRange(true, 0, 5, 1);
    log.addRange(true, 0, 4, 3);
    log.addRows(true, 0, new long[] {6, 6}, 2);
    PlanRun run = run(compile(log, 1), 1, 1);
    for (int clock = 0; clock < 2; clock++) {
      assertThat(run.addNext(0, 5, 1, new float[] {1}, 0)).isTrue();
      assertThat(run.addNext(0, 4, 3, new float[] {10, 20, 30}, 0)).isTrue();
      assertThat(run.addNext(0, new long[] {6, 6}, 2, new float[] {100, 200})).isTrue();

      List<List<RowBatch>> batches = run.drain();

      assertThat(batches.getFirst()).hasSize(1);
      assertThat(batches.getFirst().getFirst().rows()).isEqualTo(new RowSelection.Range(4, 3));
      assertThat(batches.getFirst().getFirst().inArray().values()).containsExactly(10, 21, 330);
    }
  }

  @Test
  void aRunThatLeavesItsPlanHandsOverWhatItHasAdded() {
    ClockLog log = new ClockLog(1);
    log.addRange(true, 0, 5, 2);
    log.addRows(true, 0, new long[] {6, 9}, 2);
    log.addRange(true, 0, 50, 2);
    PlanRun run = run(compile(log, 3), 1, 3);
    run.addNext(0, 5, 2, new float[] {1, 2}, 0);
    run.addNext(0, new long[] {6, 9}, 2, new float[] {10, 20});
    List<String> handed = new ArrayList<>();

    run.leave((table, rows, count, values) -> {
      for (int i = 0; i < count; i++) {
        handed.add(rows[i] + "=" + values[i]);
      }
    });

    assertThat(handed).containsExactly("5=1.0", "6=12.0", "9=20.0");
    assertThat(run.hasBegun()).isFalse();
  }

  @Test
  void singleFloatsAreServedInTheirOrderAndNothingElseIs() {
    ClockLog log = new ClockLog(1);
    for (int row : new int[] {7, 9, 7}) {
      log.addRange(false, 0, row, 1);
      log.addRange(true, 0, row, 1);
    }
    PlanRun run = run(compile(log, 1), 1, 1);
    FloatLanes floats = run.floats();
    float[] value = {-0f};
    assertThat(floats.areRead()).isTrue();
    assertThat(floats.read(0, 7, 1, value, 0)).as("rows are not here").isFalse();
    assertThat(floats.add(0, 7, 1, value, 0)).as("there is no room").isFalse();

    run.serve(new float[][] {{70, 90}});
    run.beginFloats();
    assertThat(floats.add(0, 7, 1, value, 0)).isTrue();
    assertThat(floats.read(0, 7, 1, value, 0)).isTrue();
    assertThat(value).containsExactly(70);
    for (long row : new long[] {7, -1, -9, 9 + (1L << 32)}) {
      assertThat(floats.read(0, row, 1, value, 0)).isFalse();
      assertThat(floats.add(0, row, 1, value, 0)).isFalse();
    }
    for (int count : new int[] {0, 2, -1}) {
      assertThat(floats.read(0, 9, count, value, 0)).isFalse();
      assertThat(floats.add(0, 9, count, value, 0)).isFalse();
    }
    for (int offset : new int[] {1, -1}) {
      assertThat(floats.read(0, 9, 1, value, offset)).isFalse();
      assertThat(floats.add(0, 9, 1, value, offset)).isFalse();
    }
    for (int table : new int[] {1, -1}) {
      assertThat(floats.read(table, 9, 1, value, 0)).isFalse();
      assertThat(floats.add(table, 9, 1, value, 0)).isFalse();
    }
    assertThat(value).containsExactly(70);

    assertThat(floats.add(0, 9, 1, new float[] {Float.MAX_VALUE}, 0)).isTrue();
    assertThat(floats.add(0, 7, 1, new float[] {-0f}, 0)).isTrue();
    assertThat(floats.read(0, 9, 1, value, 0)).isTrue();
    assertThat(floats.read(0, 7, 1, value, 0)).isTrue();
    assertThat(run.isComplete()).isTrue();
    for (long row : new long[] {7, -1}) {
      assertThat(floats.read(0, row, 1, value, 0)).as("there is no further one").isFalse();
      assertThat(floats.add(0, row, 1, value, 0)).as("there is no further one").isFalse();
    }
    float[] sums = run.drain().getFirst().getFirst().inArray().values();
    assertThat(sums).containsExactly(-0f, Float.MAX_VALUE);
    assertThat(run.hasBegun()).isFalse();
  }

  @Test
  void aLaneWithOtherAccessesTooIsNotOneOfFloats() {
    ClockLog log = new ClockLog(1);
    log.addRange(true, 0, 7, 1);
    log.addRange(true, 0, 7, 2);
    PlanRun run = run(compile(log, 1), 1, 1);
    run.beginFloats();

    assertThat(run.floats().add(0, 7, 1, new float[1], 0)).isFalse();
    assertThat(run.floats().areRead()).isFalse();
    assertThat(run.addNext(0, 7, 1, new float[] {1}, 0)).isTrue();
    assertThat(run.addNext(0, 7, 2, new float[] {2, 3}, 0)).isTrue();
    assertThat(run.drain().getFirst().getFirst().inArray().values()).containsExactly(3, 3);
  }

  @Test
  void readsAndUpdatesMayAlternateInAnotherWay() {
    ClockLog log = new ClockLog(1);
    log.addRange(false, 0, 7, 1);
    log.addRange(true, 0, 8, 1);
    log.addRange(false, 0, 9, 1);
    PlanRun run = run(compile(log, 1), 1, 1);
    run.serve(new float[][] {{70, 90}});
    float[] value = new float[1];

    assertThat(run.floats().read(0, 7, 1, value, 0)).isTrue();
    assertThat(run.floats().read(0, 9, 1, value, 0)).isTrue();
    assertThat(value).containsExactly(90);
    assertThat(run.isComplete()).isFalse();
    assertThat(run.addNext(0, 8, 1, value, 0)).isTrue();
    assertThat(run.isComplete()).isTrue();
  }

  @Test
  void logsAreTheSameOnlyWhenAllTheirAccessesAre() {
    ClockLog one = new ClockLog(2);
    ClockLog other = new ClockLog(2);
    for (ClockLog log : List.of(one, other)) {
      log.addRange(false, 1, 5, 2);
      log.addRows(true, 0, new long[] {1, 2}, 2);
    }
    assertThat(one.isSameAs(other)).isTrue();

    other.clear();
    other.addRange(false, 1, 5, 2);
    other.addRows(true, 0, new long[] {1, 3}, 2);
    assertThat(one.isSameAs(other)).isFalse();
  }
}
