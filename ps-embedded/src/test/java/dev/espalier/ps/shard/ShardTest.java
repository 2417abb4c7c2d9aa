package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ShardTest {
  private static final BranchRef ROOT = new BranchRef(0);
  private static final BranchRef CHILD = new BranchRef(1);
  private static final StepSize STEP = StepSize.of(1);

  private Shard shard = shard(2, TableSpec.dense("w", 4, 1, "sgd"));

  private static Shard shard(int workers, TableSpec table) {
    return new Shard(
        new ShardConfig(0, workers, 4096, 4096, 32 << 20), List.of(table), new ScalarRowKernels());
  }

  @AfterEach
  void close() {
    shard.close();
  }

  private ShardReply now(ShardCommand command) {
    CompletableFuture<ShardReply> reply = shard.submit(command);
    assertThat(reply).as("%s", command).isDone();
    return reply.join();
  }

  private void ok(ShardCommand command) {
    assertThat(now(command)).isEqualTo(new ShardReply.Acknowledged());
  }

  private void fails(ShardCommand command, PsFault fault, String message) {
    assertThat(now(command))
        .isInstanceOfSatisfying(
            ShardReply.Failed.class,
            failed -> {
              assertThat(failed.fault()).isEqualTo(fault);
              assertThat(failed.message()).contains(message);
            });
  }

  private void createWithTwo() {
    CompletableFuture<ShardReply> first = shard.submit(new ShardCommand.Create(ROOT, 0));
    assertThat(first).isNotDone();
    ok(new ShardCommand.Create(ROOT, 1));
    assertThat(first).isDone();
  }

  private static ShardCommand.Push push(
      BranchRef branch, int worker, long clock, int staleness, float... sums) {
    return new ShardCommand.Push(
        branch,
        worker,
        clock,
        new Staleness(staleness),
        STEP,
        1,
        List.of(new RowBatch(0, new RowSelection.Range(0, sums.length), sums)));
  }

  private static ShardCommand.Read read(BranchRef branch, int worker, long clock, int staleness) {
    return new ShardCommand.Read(
        branch, worker, clock, new Staleness(staleness), 0, new RowSelection.Range(0, 1));
  }

  private float value(CompletableFuture<ShardReply> reply) {
    assertThat(reply).isDone();
    return ((ShardReply.Rows) reply.join()).values()[0];
  }

  @Test
  void aRepeatedPushIsAcknowledgedAndIgnored() {
    createWithTwo();
    ok(push(ROOT, 0, 0, 0, 2));
    ok(push(ROOT, 0, 0, 0, 2));
    ok(push(ROOT, 1, 0, 0, 2));
    ok(push(ROOT, 1, 0, 0, 2));
    assertThat(value(shard.submit(read(ROOT, 0, 1, 0)))).isEqualTo(-2);
    fails(push(ROOT, 0, 2, 0, 2), PsFault.CLOCK_ORDER, "clock 1 is its next");
  }

  /// Numbers of another process must not overflow: a read would wait for ever, a step go uphill.
  @Test
  void numbersThatNoWorkerHasAreRefused() {
    createWithTwo();
    fails(read(ROOT, 0, Long.MIN_VALUE, 1), PsFault.BAD_REQUEST, "clock must be >= 0");
    ShardCommand.Push push = push(ROOT, 0, 0, 0, 2);
    for (long samples : new long[] {-1, Long.MAX_VALUE}) {
      fails(
          new ShardCommand.Push(
              ROOT, 0, 0, push.staleness(), push.stepSize(), samples, push.batches()),
          PsFault.BAD_REQUEST,
          "samples must be in [0, 1099511627776] but is " + samples);
    }
    ok(push);
  }

  /// A number is a bit of those below it only where they are used, too.
  @Test
  void aNumberFarBeyondOthersIsUsedOnce() {
    var far = new BranchRef(Integer.MAX_VALUE);
    for (int worker = 0; worker < 2; worker++) {
      shard.submit(new ShardCommand.Create(far, worker));
    }
    ok(push(far, 0, 0, 0, 2));
    ok(push(far, 1, 0, 0, 2));
    shard.submit(new ShardCommand.Free(far, 0));
    ok(new ShardCommand.Free(far, 1));
    fails(read(far, 0, 0, 0), PsFault.NO_SUCH_BRANCH, "has been freed");
    shard.submit(new ShardCommand.Create(far, 0));
    fails(new ShardCommand.Create(far, 1), PsFault.BRANCH_EXISTS, "existed and was freed");
  }

  @Test
  void whatIsNeverExecutedLetsItsValuesGo() {
    var letGo = new AtomicInteger();
    var values = new RowValues.Slice(new float[4], 0, 4, letGo::incrementAndGet);
    var push =
        new ShardCommand.Push(
            ROOT,
            0,
            0,
            Staleness.bulkSynchronous(),
            STEP,
            1,
            List.of(new RowBatch(0, new RowSelection.Range(0, 4), values)));
    shard.submit(new ShardCommand.Create(ROOT, 0));
    CompletableFuture<ShardReply> waiting = shard.submit(push);
    assertThat(waiting).isNotDone();

    shard.abandon();

    assertThat(letGo).hasValue(1);
    assertThat(waiting.join()).isInstanceOf(ShardReply.Failed.class);
    fails(push, PsFault.LINK_LOST, "serves no more");
    assertThat(letGo).hasValue(2);
  }

  /// Fresh pages of all steps are taken before the first of them.
  @Test
  void aStepThatFailsKeepsNoPage() {
    shard.close();
    var steps = new AtomicInteger();
    var scalar = new ScalarRowKernels();
    var failing =
        (RowKernels)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {RowKernels.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("sgd") && steps.incrementAndGet() == 3) {
                    throw new OutOfMemoryError("no heap");
                  }
                  return method.invoke(scalar, arguments);
                });
    shard =
        new Shard(
            new ShardConfig(0, 1, 4096, 4096, 32 << 20),
            List.of(TableSpec.dense("w", 10 * 1024, 1, "sgd")),
            failing);
    ok(new ShardCommand.Create(ROOT, 0));
    long before = shard.stats().pagesInUse();

    assertThat(now(push(ROOT, 0, 0, 0, new float[10 * 1024])))
        .isInstanceOf(ShardReply.Failed.class);

    assertThat(steps).hasValue(3);
    assertThat(shard.stats().pagesInUse()).isEqualTo(before);
  }

  @Test
  void atALargerStalenessEachPushIsItsOwnStep() {
    createWithTwo();
    ok(push(ROOT, 0, 0, 3, 2));
    assertThat(value(shard.submit(read(ROOT, 1, 0, 3)))).isEqualTo(-1);
    ok(push(ROOT, 1, 0, 3, 4));
    assertThat(value(shard.submit(read(ROOT, 1, 1, 3)))).isEqualTo(-3);
    assertThat(shard.stats().clocksApplied()).isEqualTo(2);
  }

  @Test
  void aWaitingReadThatCannotBeServedIsAnsweredAndHarmsNobodyElse() {
    createWithTwo();
    ok(push(ROOT, 0, 0, 0, 2));
    CompletableFuture<ShardReply> waiting = shard.submit(read(ROOT, 0, 1, 0), new FullCollector());
    assertThat(waiting).isNotDone();

    ok(push(ROOT, 1, 0, 0, 2));

    assertThat(waiting)
        .isCompletedWithValue(
            new ShardReply.Failed(
                PsFault.INTERNAL,
                "the parameter server failed: java.lang.ArithmeticException: full"));
    assertThat(value(shard.submit(read(ROOT, 0, 1, 0)))).isEqualTo(-2);
  }

  /// Takes no rows.
  private static final class FullCollector implements RowCollector {
    @Override
    public void begin(int rows, int columns, int bound) {
      throw new ArithmeticException("full");
    }

    @Override
    public void take(MemorySegment values, long offset, int position, int rows) {}

    @Override
    public ShardReply end() {
      return new ShardReply.Delivered(0);
    }
  }

  @Test
  void allWhoFreeABranchAreAnsweredWhenThatFails() {
    createWithTwo();
    var stuck =
        new RowValues.OnDevice() {
          @Override
          public int count() {
            return 1;
          }

          @Override
          public long address() {
            return 0;
          }

          @Override
          public float[] download() {
            return new float[1];
          }

          @Override
          public void release() {
            throw new IllegalStateException("stuck");
          }
        };
    RowBatch batch = new RowBatch(0, new RowSelection.Range(0, 1), stuck);
    Staleness bulk = Staleness.bulkSynchronous();
    ok(new ShardCommand.Push(ROOT, 0, 0, bulk, STEP, 1, List.of(batch)));
    CompletableFuture<ShardReply> waiting = shard.submit(read(ROOT, 0, 1, 0));
    CompletableFuture<ShardReply> first = shard.submit(new ShardCommand.Free(ROOT, 0));
    fails(new ShardCommand.Free(ROOT, 1), PsFault.INTERNAL, "stuck");
    assertThat(first).isCompletedWithValueMatching(ShardReply.Failed.class::isInstance);
    assertThat(waiting)
        .isCompletedWithValue(
            new ShardReply.Failed(PsFault.NO_SUCH_BRANCH, ROOT + " has been freed"));
    assertThat(shard.stats().pagesInUse()).isZero();
  }

  @Test
  void workersMustAgreeOnStalenessAndStepSize() {
    createWithTwo();
    ok(push(ROOT, 0, 0, 0, 2));
    fails(push(ROOT, 1, 0, 1, 2), PsFault.INCONSISTENT_SETTING, "others have Staleness[bound=0]");
    fails(
        new ShardCommand.Push(
            ROOT, 1, 0, Staleness.bulkSynchronous(), StepSize.of(2), 1, List.of()),
        PsFault.INCONSISTENT_SETTING,
        "learningRate=2.0");
    ok(push(ROOT, 1, 0, 0, 2));
    ok(push(ROOT, 0, 1, 5, 2));
  }

  @Test
  void aClockWithoutSamplesOrWithoutLearningRateChangesNothing() {
    createWithTwo();
    for (int worker = 0; worker < 2; worker++) {
      RowBatch batch = push(ROOT, 0, 0, 0, 5).batches().getFirst();
      Staleness bulk = Staleness.bulkSynchronous();
      ok(new ShardCommand.Push(ROOT, worker, 0, bulk, STEP, 0, List.of(batch)));
      ok(new ShardCommand.Push(ROOT, worker, 1, bulk, StepSize.noUpdate(), 3, List.of(batch)));
    }
    assertThat(value(shard.submit(read(ROOT, 0, 2, 0)))).isZero();
    assertThat(shard.stats().clocksApplied()).isZero();
  }

  @Test
  void aForkSeesWhatWasSentBeforeItAndNothingSentAfterIt() {
    createWithTwo();
    int staleness = 9;
    ok(push(ROOT, 0, 0, staleness, 2));
    CompletableFuture<ShardReply> fork = shard.submit(new ShardCommand.Fork(CHILD, ROOT, 0));
    CompletableFuture<ShardReply> later = shard.submit(push(ROOT, 0, 1, staleness, 100));
    CompletableFuture<ShardReply> onChild = shard.submit(read(CHILD, 0, 0, staleness));
    assertThat(later).isNotDone();
    ok(push(ROOT, 1, 0, staleness, 2));
    assertThat(fork).isNotDone();
    ok(new ShardCommand.Fork(CHILD, ROOT, 1));
    assertThat(fork).isDone();
    assertThat(later).isDone();
    assertThat(value(onChild)).isEqualTo(-2);
    assertThat(value(shard.submit(read(ROOT, 1, 1, staleness)))).isEqualTo(-52);
    assertThat(value(shard.submit(read(CHILD, 1, 0, staleness)))).isEqualTo(-2);
  }

  @Test
  void aForkInTheMiddleOfAClockIsRefused() {
    createWithTwo();
    ok(push(ROOT, 0, 0, 0, 2));
    CompletableFuture<ShardReply> first = shard.submit(new ShardCommand.Fork(CHILD, ROOT, 0));
    fails(new ShardCommand.Fork(CHILD, ROOT, 1), PsFault.CLOCK_ORDER, "completed are [1, 0]");
    assertThat(first.join()).isInstanceOf(ShardReply.Failed.class);
    fails(read(CHILD, 0, 0, 0), PsFault.NO_SUCH_BRANCH, "branch 1 was never created");
  }

  @Test
  void freedBranchesAreGoneAndTheirNumbersStayTaken() {
    createWithTwo();
    ok(push(ROOT, 0, 0, 0, 1));
    CompletableFuture<ShardReply> parked = shard.submit(read(ROOT, 0, 1, 0));
    shard.submit(new ShardCommand.Free(ROOT, 0));
    ok(new ShardCommand.Free(ROOT, 1));
    assertThat(parked.join()).isInstanceOf(ShardReply.Failed.class);
    fails(read(ROOT, 0, 0, 0), PsFault.NO_SUCH_BRANCH, "branch 0 has been freed");
    shard.submit(new ShardCommand.Create(ROOT, 0));
    fails(new ShardCommand.Create(ROOT, 1), PsFault.BRANCH_EXISTS, "never used twice");
    assertThat(shard.stats().pagesInUse()).isZero();
  }

  @Test
  void requestsThatMakeNoSenseAreRefused() {
    createWithTwo();
    fails(read(ROOT, 2, 0, 0), PsFault.BAD_REQUEST, "worker must be in [0, 2) but is 2");
    fails(read(ROOT, 0, 3, 0), PsFault.CLOCK_ORDER, "has completed only 0 clocks");
    fails(push(ROOT, 0, 0, 0, 1, 1, 1), PsFault.BAD_REQUEST, "row of table 'w' must be in");
    fails(
        new ShardCommand.Assign(
            ROOT, 0, List.of(new RowBatch(0, new RowSelection.Range(0, 1), new float[7]))),
        PsFault.BAD_REQUEST,
        "must have length 1 but have 7");
    fails(
        new ShardCommand.Assign(
            ROOT, 0, List.of(new RowBatch(4, new RowSelection.Range(0, 1), new float[7]))),
        PsFault.BAD_REQUEST,
        "table must be in [0, 1) but is 4");
  }

  @Test
  void closingAnswersWhatStillWaits() {
    createWithTwo();
    ok(push(ROOT, 0, 0, 0, 1));
    CompletableFuture<ShardReply> parked = shard.submit(read(ROOT, 0, 1, 0));
    CompletableFuture<ShardReply> vote = shard.submit(new ShardCommand.Barrier("b", 0));
    CompletableFuture<ShardReply> fork = shard.submit(new ShardCommand.Fork(CHILD, ROOT, 0));
    CompletableFuture<ShardReply> queued = shard.submit(read(CHILD, 0, 0, 0));
    shard.close();
    for (CompletableFuture<ShardReply> reply : List.of(parked, vote, fork, queued)) {
      assertThat(reply.join())
          .isInstanceOfSatisfying(
              ShardReply.Failed.class, f -> assertThat(f.fault()).isEqualTo(PsFault.CLOSED));
    }
    fails(read(ROOT, 0, 0, 0), PsFault.CLOSED, "shard 0 is closed");
  }

  @Test
  void adaRevisionKnowsWhatTheWorkerHadNotSeen() {
    shard.close();
    shard = shard(2, TableSpec.dense("w", 1, 1, "adarevision"));
    createWithTwo();
    ok(
        new ShardCommand.Assign(
            ROOT, 0, List.of(new RowBatch(0, new RowSelection.Range(0, 1), new float[] {1}))));
    StepSize tenth = StepSize.of(0.1);
    Staleness staleness = new Staleness(3);
    shard.submit(read(ROOT, 0, 0, 3));
    shard.submit(read(ROOT, 1, 0, 3));
    for (int worker = 0; worker < 2; worker++) {
      // Sums over one sample of two workers: gradients 2 and -1.
      float[] sum = {worker == 0 ? 4 : -2};
      RowBatch batch = new RowBatch(0, new RowSelection.Range(0, 1), sum);
      ok(new ShardCommand.Push(ROOT, worker, 0, staleness, tenth, 1, List.of(batch)));
    }
    assertThat(value(shard.submit(read(ROOT, 0, 1, 3)))).isCloseTo(0.9552787f, within(1e-6f));
    shard.submit(new ShardCommand.Free(ROOT, 0));
    ok(new ShardCommand.Free(ROOT, 1));
    assertThat(shard.stats().pagesInUse()).isZero();
  }

  @Test
  void onlyWrittenPagesTakeMemory() {
    shard.close();
    shard = shard(1, TableSpec.sparse("w", 100 * 1024, 1, "sgd"));
    ok(new ShardCommand.Create(ROOT, 0));
    assertThat(shard.stats().pagesInUse()).isEqualTo(1);
    float[] ones = new float[100 * 1024];
    Arrays.fill(ones, 1);
    ok(push(ROOT, 0, 0, 0, ones));
    assertThat(shard.stats().pagesInUse()).isEqualTo(100);
    ok(new ShardCommand.Fork(CHILD, ROOT, 0));
    assertThat(shard.stats().pagesInUse()).isEqualTo(100);
    ok(push(CHILD, 0, 0, 0, 5));
    assertThat(shard.stats().pagesInUse()).isEqualTo(101);
    assertThat(value(shard.submit(read(CHILD, 0, 1, 0)))).isEqualTo(-6);
    assertThat(value(shard.submit(read(ROOT, 0, 1, 0)))).isEqualTo(-1);
    ok(new ShardCommand.Free(ROOT, 0));
    assertThat(shard.stats().pagesInUse()).isEqualTo(100);
    ok(new ShardCommand.Free(CHILD, 0));
    assertThat(shard.stats().pagesInUse()).isZero();
  }
}
