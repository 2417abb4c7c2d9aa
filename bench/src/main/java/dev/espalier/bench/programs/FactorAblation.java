package dev.espalier.bench.programs;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rounds;
import dev.espalier.bench.frame.ScratchFolder;
import dev.espalier.data.DataFolder;
import dev.espalier.data.Ratings;
import dev.espalier.data.RatingsReader;
import dev.espalier.data.ShuffledCursor;
import dev.espalier.programs.mf.FactorShape;
import dev.espalier.programs.mf.FactorSteps;
import dev.espalier.programs.mf.RatingBlocks;
import dev.espalier.sdk.OpenRows;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Phaser;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What each part of a fast pass of `mf` is worth: all of them, and each left out in turn; and what
/// it costs two threads that they change the same rows.
///
/// @param rank factors
/// @param rounds how often each way passes over the data
public record FactorAblation(int rank, Rounds rounds) implements Benchmark {
  private static final int RUN = 1024;
  private static final String RATE = "M ratings/s";
  private static final FactorSteps.Constants CONSTANTS =
      new FactorSteps.Constants(3.6f, 0.01f, 0.06f);

  /// One way to pass over the ratings.
  private record Way(String name, IntConsumer pass) {}

  @Override
  public String title() {
    return "what a pass of mf at rank " + rank + " is made of";
  }

  @Override
  public List<Measurement> measure() throws IOException, ExecutionException, InterruptedException {
    try (var folder = new ScratchFolder();
        Arena arena = Arena.ofShared()) {
      GeneratedData.writeRatings(folder.path());
      Ratings ratings = RatingsReader.read(new DataFolder(folder.path()).require("u1.base"));
      FactorShape lines = FactorShape.inLines(rank);
      Ratings blocks = RatingBlocks.arrange(ratings, 4 * lines.columns(), 1).ratings();
      List<Way> ways =
          List.of(
              way(arena, "all", blocks, RUN, lines, FactorSteps.best()),
              way(arena, "without vectors", blocks, RUN, lines, FactorSteps.plain()),
              way(arena, "without blocks", ratings, RUN, lines, FactorSteps.best()),
              way(
                  arena,
                  "without runs: each rating at random",
                  ratings,
                  1,
                  lines,
                  FactorSteps.best()),
              way(
                  arena,
                  "rows of %d floats instead of whole lines".formatted(rank + 1),
                  blocks,
                  RUN,
                  FactorShape.dense(rank),
                  rank % 16 == 0 ? FactorSteps.best() : FactorSteps.plain()));
      double[] seconds = rounds.medianSeconds(1, ways.stream().map(Way::pass).toList());
      return Stream.concat(without(ways, seconds, ratings.count()), together(arena, ratings, lines))
          .toList();
    }
  }

  private Stream<Measurement> without(List<Way> ways, double[] seconds, int ratings) {
    double all = ratings / seconds[0] / 1e6;
    return IntStream.range(1, ways.size())
        .mapToObj(i ->
            new Measurement(
                "steps of mf, rank %d, %s".formatted(rank, ways.get(i).name()),
                ratings / seconds[i] / 1e6,
                RATE,
                "vectors, blocks, lines",
                all));
  }

  /// Two threads on one model, in two ways, beside two on a model of their own.
  private Stream<Measurement> together(Arena arena, Ratings ratings, FactorShape shape)
      throws ExecutionException, InterruptedException {
    RatingBlocks blocks = RatingBlocks.arrange(ratings, 4 * shape.columns(), 2);
    Ratings ordered = blocks.ratings();
    int[] samples =
        new ShuffledCursor(ordered.count(), blocks.samplesPerRun(), 1).indices(0, ordered.count());
    int half = samples.length / 2;
    FactorSteps steps = FactorSteps.best();
    List<FactorSteps.Work> models =
        List.of(work(arena, ordered, shape, samples), work(arena, ordered, shape, samples));
    Function<IntUnaryOperator, IntConsumer> halves =
        modelOf ->
            thread ->
                steps.take(
                    models.get(modelOf.applyAsInt(thread)), thread * half, (thread + 1) * half);
    var meeting = new Phaser(2);
    IntConsumer apart =
        thread -> {
          RatingBlocks.Turns turns = blocks.cut(samples);
          for (int turn = 0; turn < 2; turn++) {
            turns.take(thread, turn, (from, to) -> steps.take(models.getFirst(), from, to));
            meeting.arriveAndAwaitAdvance();
          }
        };
    double[] seconds =
        rounds.medianSeconds(
            2, List.of(halves.apply(thread -> thread), apart, halves.apply(_ -> 0)));
    double each = 2 * half / seconds[0] / 1e6;
    return Stream.of(
        onOneModel("rows of their own in every turn", samples.length / seconds[1] / 1e6, each),
        onOneModel("Hogwild", 2 * half / seconds[2] / 1e6, each));
  }

  private Measurement onOneModel(String how, double rate, double each) {
    return new Measurement(
        "steps of mf, rank %d, 2 threads on one model, %s".formatted(rank, how),
        rate,
        RATE,
        "2 threads on a model each",
        each);
  }

  private static Way way(
      Arena arena, String name, Ratings ratings, int run, FactorShape shape, FactorSteps steps) {
    int[] samples = new ShuffledCursor(ratings.count(), run, 1).indices(0, ratings.count());
    FactorSteps.Work work = work(arena, ratings, shape, samples);
    return new Way(name, _ -> steps.take(work, 0, samples.length));
  }

  private static FactorSteps.Work work(
      Arena arena, Ratings ratings, FactorShape shape, int[] samples) {
    return new FactorSteps.Work(
        rows(arena, ratings.userCount(), shape),
        rows(arena, ratings.itemCount(), shape),
        shape,
        ratings,
        samples,
        CONSTANTS);
  }

  private static OpenRows rows(Arena arena, int rows, FactorShape shape) {
    MemorySegment values = arena.allocate(4L * rows * shape.columns(), 4096);
    var random = new SplittableRandom(1);
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < shape.rank(); k++) {
        values.setAtIndex(
            ValueLayout.JAVA_FLOAT,
            (long) row * shape.columns() + k,
            (float) (0.1 * random.nextGaussian()));
      }
    }
    return new OpenRows(
        rows,
        shape.columns(),
        rows,
        new OpenRows.Pages() {
          @Override
          public long address(int page) {
            return values.address();
          }

          @Override
          public void close() {
            // The arena's owner frees the memory.
          }
        });
  }
}
