package dev.espalier.runtime.branch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What is left of a crew that could not start, that failed, or whose caller was interrupted.
@Timeout(60)
final class LocalCrewTest {
  private static final int MANY_CLOCKS = 1_000_000;

  @TempDir private Path checkpoints;
  private final List<String> said = new CopyOnWriteArrayList<>();
  private final AtomicInteger made = new AtomicInteger();
  private final CountDownLatch training = new CountDownLatch(1);

  /// Says what becomes of it, and does in its clocks what a test wants.
  private class Telling implements TrainingProgram {
    private final int number = made.getAndIncrement();

    @Override
    public ProgramDescriptor describe() {
      return ProgramDescriptor.of("telling", "Tells.", MetricSpec.minimize("loss"));
    }

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      return new ProgramShape(List.of(TableDeclaration.dense("w", 4, 1, "sgd")), 100, 8);
    }

    @Override
    public Progress clock(ProgramContext context) {
      return new Progress(0, context.samples().length);
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      return Evaluation.mean("loss", 0, 1);
    }

    @Override
    public void close() {
      said.add("closed " + number);
    }
  }

  private Assignment assignment(int workers) {
    return LocalCrew.assignment(
        ProgramDescriptor.of("telling", "Tells.", MetricSpec.minimize("loss")),
        Map.of(),
        Optional.empty(),
        workers,
        1,
        HeldOut.NOTHING,
        checkpoints);
  }

  private LocalCrew crew(int workers, Supplier<TrainingProgram> program) {
    return new LocalCrew(program, UnaryOperator.identity(), assignment(workers), 64 << 20);
  }

  private static void create(LocalCrew crew) throws InterruptedException {
    crew.execute(new BranchCommand.Create(BranchId.ROOT, Setting.EMPTY), 1);
  }

  private static void train(LocalCrew crew) throws InterruptedException {
    crew.execute(new BranchCommand.Schedule(BranchId.ROOT, MANY_CLOCKS, MANY_CLOCKS), 1);
  }

  @Test
  void programsAreClosedWhenOneOfThemCannotBeOpened() {
    assertThatThrownBy(() ->
            crew(
                3,
                () ->
                    new Telling() {
                      @Override
                      public ProgramShape open(ProgramEnvironment environment) {
                        if (environment.worker() == 1) {
                          throw new IllegalStateException("no data");
                        }
                        return super.open(environment);
                      }
                    }))
        .hasMessage("no data");
    assertThat(said).containsExactlyInAnyOrder("closed 0", "closed 1", "closed 2");
  }

  @Test
  void programsAreClosedWhenTheirTablesCannotBeOpened() {
    assertThatThrownBy(() ->
            new LocalCrew(
                Telling::new,
                shape ->
                    new ProgramShape(
                        List.of(TableDeclaration.dense("w", 4, 1, "no such rule")), 100, 8),
                assignment(2),
                64 << 20))
        .hasMessageContaining("no such rule");
    assertThat(said).containsExactlyInAnyOrder("closed 0", "closed 1");
  }

  @Test
  void oneThatCannotBeClosedKeepsNoOtherFromIt() {
    LocalCrew crew =
        crew(
            3,
            () ->
                new Telling() {
                  @Override
                  public void close() {
                    super.close();
                    throw new IllegalStateException("cannot be closed");
                  }
                });
    assertThatThrownBy(crew::close)
        .hasMessage("cannot be closed")
        .satisfies(failure -> assertThat(failure.getSuppressed()).hasSize(1));
    assertThat(said).hasSize(3);

    crew.close();
    assertThat(said).as("closed a second time").hasSize(3);
  }

  /// A worker that waits in its clock for what does not come.
  private final class Hanging extends Telling {
    @Override
    public Progress clock(ProgramContext context) {
      training.countDown();
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException _) {
        said.add("interrupted");
        Thread.currentThread().interrupt();
      }
      return super.clock(context);
    }
  }

  @Test
  void interruptionEndsWorkersThatHang() throws Exception {
    var ended = new CompletableFuture<String>();
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try (LocalCrew crew = crew(2, Hanging::new)) {
                create(crew);
                train(crew);
                ended.complete("trained to the end");
              } catch (InterruptedException _) {
                ended.complete("interrupted");
              } catch (RuntimeException failure) {
                ended.completeExceptionally(failure);
              }
            });
    training.await();
    caller.interrupt();
    assertThat(ended.get(20, TimeUnit.SECONDS)).isEqualTo("interrupted");
    assertThat(said).as("closed after whoever used it has left").startsWith("interrupted");
    assertThat(said.subList(said.size() - 2, said.size()))
        .containsExactlyInAnyOrder("closed 0", "closed 1");
  }

  /// Workers that do something before each clock.
  private LocalCrew crewThat(int workers, Consumer<ProgramContext> before) {
    return crew(
        workers,
        () ->
            new Telling() {
              @Override
              public Progress clock(ProgramContext context) {
                before.accept(context);
                return super.clock(context);
              }
            });
  }

  @Test
  void theOnlyWorkerBeginsNoClockAfterAnInterruption() throws Exception {
    var clocks = new AtomicInteger();
    try (LocalCrew crew =
        crewThat(
            1,
            _ -> {
              if (clocks.incrementAndGet() == 3) {
                Thread.currentThread().interrupt();
              }
            })) {
      create(crew);
      assertThatThrownBy(() -> train(crew)).isInstanceOf(InterruptedException.class);
    }
    assertThat(clocks).hasValue(3);
  }

  @Test
  void whoIsLeftDoesNotTrainOnAfterTheOtherHasFailed() throws Exception {
    var clocks = new AtomicInteger();
    try (LocalCrew crew =
        crewThat(
            2,
            context -> {
              if (context.worker() == 1) {
                throw new IllegalStateException("a bad sample");
              }
              clocks.incrementAndGet();
            })) {
      create(crew);
      assertThatThrownBy(() -> train(crew)).hasMessage("a bad sample");
    }
    assertThat(said).containsExactlyInAnyOrder("closed 0", "closed 1");
    assertThat(clocks.get()).isLessThan(MANY_CLOCKS);
  }
}
