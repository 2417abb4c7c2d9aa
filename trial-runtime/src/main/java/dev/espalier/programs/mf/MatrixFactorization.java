package dev.espalier.programs.mf;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.DataFolder;
import dev.espalier.data.Ratings;
import dev.espalier.programs.lockfree.SampleSgd;
import dev.espalier.programs.lockfree.SampleThreads;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.OpenRows;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/* Matrix factorisation with biases, after Koren, Bell and Volinsky 2009.
 *
 *   prediction(u, i) = mean + b_u + b_i + p_u . q_i
 *   loss of a rating  = (e^2 + l2 (|p_u|^2 + |q_i|^2 + b_u^2 + b_i^2)) / 2,   e = prediction - rating
 *
 * Table `users` holds (p_u, b_u) in row u, table `items` (q_i, b_i) in row i; the mean is constant.
 *
 * With an update rule a clock is one step: it touches few rows, and the server divides gradient sums by all samples of the clock, of
 * which any one row had a few: with `sgd` or `momentum` a step of a row is smaller than that of
 * one-by-one SGD by the batch size. Rules that scale each step by past gradients (`adagrad`,
 * `adam`, `adarevision`) do not care about that factor, so they are what to use here.
 *
 * With `sample-sgd` a clock is as many steps as it has ratings: see FactorSteps. Ratings come block by
 * block then, and the row of a user or item is wider, so that it fills cache lines.
 */
/// Recommends items by factorising the matrix of ratings.
public final class MatrixFactorization implements TrainingProgram {
  private static final int DEFAULT_BATCH_SIZE = 256;
  private static final int EVALUATION_BATCH = 4096;
  private static final int ASSIGNED_ROWS = 4096;
  private static final double FACTOR_DEVIATION = 0.1;
  private static final String USERS = "users";
  private static final String ITEMS = "items";

  /* The sums of squares that adarevision starts from; the rule's own start, 1, would outweigh the
   * gradients here, which are means over a batch. */
  private static final double INITIAL_ACCUMULATOR = 1e-8;

  private static final int SAMPLE_SGD_BATCH_SIZE = 4096;

  private @Nullable Model model;

  /// What `open` makes.
  ///
  /// @param steps empty where the server steps, once a clock
  private record Model(
      long seed,
      RatingData data,
      FactorShape shape,
      double l2,
      FactorRows users,
      FactorRows items,
      Optional<SampleSteps> steps) {}

  /// How a clock steps from rating to rating.
  private record SampleSteps(FactorSteps steps, SampleThreads threads, RatingBlocks blocks) {}

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "mf",
        "Predicts ratings by matrix factorisation with biases.",
        false,
        List.of(
            Argument.integer("rank", "factors per user and item", 20).within(1, 1024),
            Argument.decimal("l2", "weight of the squared factors", 0.1).within(0, 10),
            SampleSgd.optimizer(
                "update rule of a clock, adaptive ones suit sparse rows", "rating", "adagrad"),
            SampleSgd.threads("which take ratings without a row in common"),
            Argument.choice(
                "split",
                "validation ratings: an official split of MovieLens 100K, or a random tenth",
                RatingData.AUTOMATIC,
                Stream.concat(
                        Stream.of(RatingData.AUTOMATIC, RatingData.RANDOM),
                        RatingData.OFFICIAL.stream())
                    .toList())),
        List.of(
            new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-4, 1, 0.05),
            new Tunable.Choice(
                Tunable.BATCH_SIZE, List.of(64.0, 256.0, 1024.0, 4096.0), DEFAULT_BATCH_SIZE)),
        List.of(new MetricSpec("rmse", Goal.MINIMIZE, MetricSpec.Aggregate.ROOT_MEAN_SQUARE)));
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    String rule = environment.text("optimizer");
    Optional<SampleThreads> threads = SampleSgd.chosen(environment);
    int rank = environment.integer("rank");
    FactorShape shape = threads.isPresent() ? FactorShape.inLines(rank) : FactorShape.dense(rank);
    RatingData data =
        environment
            .data()
            .map(folder -> RatingData.read(new DataFolder(folder), environment.text("split")))
            .orElseGet(GeneratedRatings::generate);
    Optional<SampleSteps> steps =
        threads.map(all ->
            new SampleSteps(
                FactorSteps.best(),
                all,
                RatingBlocks.arrange(data.training(), 4 * shape.columns(), all.count())));
    model =
        new Model(
            environment.seed(),
            steps.map(how -> data.withTraining(how.blocks.ratings())).orElse(data),
            shape,
            environment.decimal("l2"),
            new FactorRows(data.users(), shape.columns()),
            new FactorRows(data.items(), shape.columns()),
            steps);
    var tables =
        List.of(table(USERS, data.users(), shape, rule), table(ITEMS, data.items(), shape, rule));
    int samples = data.training().count();
    return steps
        .map(how ->
            new ProgramShape(tables, samples, SAMPLE_SGD_BATCH_SIZE)
                .inRunsOf(how.blocks.samplesPerRun()))
        .orElseGet(() -> new ProgramShape(tables, samples, DEFAULT_BATCH_SIZE))
        .withValidationSamples(data.validation().count());
  }

  private static TableDeclaration table(String name, int rows, FactorShape shape, String rule) {
    TableDeclaration table = SampleSgd.table(name, rows, shape.columns(), rule);
    return rule.equals("adarevision")
        ? table.with("initialAccumulator", INITIAL_ACCUMULATOR)
        : table;
  }

  /// Draws factors from N(0, 0.1^2); biases start at 0.
  @Override
  public void initialise(ProgramContext context) {
    Model opened = opened();
    var random = new SplittableRandom(opened.seed);
    assign(context.table(USERS), opened.shape.rank(), random);
    assign(context.table(ITEMS), opened.shape.rank(), random);
  }

  private static void assign(ParameterTable table, int rank, SplittableRandom random) {
    int columns = table.columns();
    float[] values = new float[ASSIGNED_ROWS * columns];
    for (long row = 0; row < table.rows(); row += ASSIGNED_ROWS) {
      int count = (int) Math.min(ASSIGNED_ROWS, table.rows() - row);
      for (int i = 0; i < count; i++) {
        for (int k = 0; k < rank; k++) {
          values[i * columns + k] = (float) (FACTOR_DEVIATION * random.nextGaussian());
        }
      }
      table.assign(row, count, values, 0);
    }
  }

  @Override
  public Progress clock(ProgramContext context) {
    Model opened = opened();
    int[] samples = context.samples();
    if (samples.length == 0) {
      return new Progress(0, 0);
    }
    Ratings ratings = opened.data.training();
    if (opened.steps.isPresent()) {
      return stepBySample(opened, opened.steps.get(), context);
    }
    read(opened, context, ratings, samples);
    opened.users.zeroGradients();
    opened.items.zeroGradients();
    double lossSum = 0;
    for (int sample : samples) {
      lossSum += addGradient(opened, ratings, sample);
    }
    opened.users.add(context.table(USERS));
    opened.items.add(context.table(ITEMS));
    announce(opened, context, ratings);
    return new Progress(lossSum, samples.length);
  }

  private static Progress stepBySample(Model opened, SampleSteps how, ProgramContext context) {
    int[] samples = context.samples();
    Ratings ratings = opened.data.training();
    var constants =
        new FactorSteps.Constants(
            (float) opened.data.mean(), (float) context.learningRate(), (float) opened.l2);
    try (OpenRows users =
            context.table(USERS).open(() -> touched(opened.users, ratings.users(), samples));
        OpenRows items =
            context.table(ITEMS).open(() -> touched(opened.items, ratings.items(), samples))) {
      var work = new FactorSteps.Work(users, items, opened.shape, ratings, samples, constants);
      RatingBlocks.Turns turns = how.blocks.cut(samples);
      double lossSum =
          how.threads.sumOfTurns(
              how.threads.count(),
              (thread, turn) ->
                  turns.take(thread, turn, (from, to) -> how.steps.take(work, from, to)));
      return new Progress(lossSum, samples.length);
    }
  }

  private static long[] touched(FactorRows rows, int[] rowOf, int[] samples) {
    rows.clear();
    for (int sample : samples) {
      rows.offset(rowOf[sample]);
    }
    return rows.touched();
  }

  @Override
  public Progress loss(ProgramContext context) {
    Model opened = opened();
    int[] samples = context.samples();
    Ratings ratings = opened.data.training();
    read(opened, context, ratings, samples);
    double lossSum = 0;
    for (int sample : samples) {
      lossSum += squaredError(opened, ratings, sample) / 2;
    }
    return new Progress(lossSum, samples.length);
  }

  private static void announce(Model opened, ProgramContext context, Ratings ratings) {
    int[] next = context.nextSamples();
    if (next.length > 0) {
      collect(opened, ratings, next);
      opened.users.announce(context.table(USERS));
      opened.items.announce(context.table(ITEMS));
    }
  }

  private static void collect(Model opened, Ratings ratings, int[] samples) {
    opened.users.clear();
    opened.items.clear();
    for (int sample : samples) {
      opened.users.offset(ratings.users()[sample]);
      opened.items.offset(ratings.items()[sample]);
    }
  }

  private static void read(Model opened, ProgramContext context, Ratings ratings, int[] samples) {
    collect(opened, ratings, samples);
    opened.users.read(context.table(USERS));
    opened.items.read(context.table(ITEMS));
  }

  private static float prediction(Model opened, float[] p, int user, float[] q, int item) {
    int bias = opened.shape.bias();
    float product = 0;
    for (int k = 0; k < opened.shape.rank(); k++) {
      product += p[user + k] * q[item + k];
    }
    return (float) opened.data.mean() + p[user + bias] + q[item + bias] + product;
  }

  private static double addGradient(Model opened, Ratings ratings, int sample) {
    int user = opened.users.offset(ratings.users()[sample]);
    int item = opened.items.offset(ratings.items()[sample]);
    float[] p = opened.users.values();
    float[] q = opened.items.values();
    float[] userGradients = opened.users.gradients();
    float[] itemGradients = opened.items.gradients();
    float error = prediction(opened, p, user, q, item) - ratings.values()[sample];
    float l2 = (float) opened.l2;
    int rank = opened.shape.rank();
    float squares = 0;
    for (int k = 0; k < rank; k++) {
      float pk = p[user + k];
      float qk = q[item + k];
      userGradients[user + k] += error * qk + l2 * pk;
      itemGradients[item + k] += error * pk + l2 * qk;
      squares += pk * pk + qk * qk;
    }
    float userBias = p[user + rank];
    float itemBias = q[item + rank];
    userGradients[user + rank] += error + l2 * userBias;
    itemGradients[item + rank] += error + l2 * itemBias;
    squares += userBias * userBias + itemBias * itemBias;
    return ((double) error * error + opened.l2 * squares) / 2;
  }

  /// Measures `rmse` over the validation ratings, with predictions clipped to the range of the
  /// training ratings; worker r of W takes every rating i with i mod W = r. NaN when a prediction
  /// is NaN.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    Ratings ratings = opened.data.validation();
    double squares = 0;
    int judged = 0;
    for (int[] batch : context.shareInBatches(0, ratings.count(), EVALUATION_BATCH)) {
      read(opened, context, ratings, batch);
      for (int sample : batch) {
        squares += squaredError(opened, ratings, sample);
      }
      judged += batch.length;
    }
    return new Evaluation(Map.of("rmse", judged == 0 ? 0 : Math.sqrt(squares / judged)), judged);
  }

  private static double squaredError(Model opened, Ratings ratings, int sample) {
    int user = opened.users.offset(ratings.users()[sample]);
    int item = opened.items.offset(ratings.items()[sample]);
    float prediction = prediction(opened, opened.users.values(), user, opened.items.values(), item);
    double clipped = Math.max(opened.data.min(), Math.min(opened.data.max(), prediction));
    double error = clipped - ratings.values()[sample];
    return error * error;
  }

  private Model opened() {
    if (model == null) {
      throw new IllegalStateException("the program must be opened first");
    }
    return model;
  }

  @Override
  public void close() {
    if (model != null) {
      model.steps.ifPresent(steps -> steps.threads.close());
    }
    model = null;
  }
}
