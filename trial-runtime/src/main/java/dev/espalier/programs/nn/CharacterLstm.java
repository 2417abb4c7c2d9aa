package dev.espalier.programs.nn;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.DataFolder;
import dev.espalier.nn.Activation;
import dev.espalier.nn.Batch;
import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.Outcome;
import dev.espalier.nn.Shape;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/* The text is cut into sequences, each of which starts from a state of zeros; gradients reach back
 * to the start of the sequence and no further. So samples are independent of each other, may be
 * visited in any order, and a branch carries no state but its tables: a fork is exact.
 *
 * For validation the sequences overlap by half, and of each only the second half is judged: every
 * character is predicted from at least half a sequence before it, but for those of the first half of
 * the first sequence.
 */
/// A character-level language model: an embedding, layers of LSTM, and a softmax over the next
/// character. Its loss is in nats per character.
public final class CharacterLstm implements TrainingProgram {
  private static final String EMBEDDING = "layer0";
  private static final int DEFAULT_BATCH_SIZE = 32;
  private static final int EVALUATION_BATCH = 64;

  private @Nullable Model model;

  /// What `open` makes.
  ///
  /// @param length characters of a sequence
  private record Model(CharacterData data, int length, NetworkTraining training) {
    int trainingSequences() {
      return (data.training() - 1) / length;
    }

    int stride() {
      return length / 2;
    }

    int validationSequences() {
      return (data.validation() - 1 - length) / stride() + 1;
    }
  }

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "lstm",
        "Predicts the next character of a text with an LSTM.",
        false,
        Stream.concat(
                Stream.of(
                    Argument.text(
                        "text", "name of the text file; empty for the only file of the folder", ""),
                    Argument.integer(
                            "characters",
                            "how many characters of the text are used, from its start; 0 for all",
                            0)
                        .within(0, 1e9),
                    Argument.integer("length", "characters of a sequence, an even number", 64)
                        .within(2, 4096),
                    Argument.integer("embedding", "values that stand for a character", 32)
                        .within(1, 4096),
                    Argument.integers("units", "units of the LSTM layers", "128").within(1, 4096)),
                NetworkTraining.arguments("adam").stream())
            .toList(),
        List.of(
            new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-5, 1, 0.003),
            new Tunable.LinearRange(Tunable.MOMENTUM, 0, 0.99, 0.9),
            new Tunable.Choice(
                Tunable.BATCH_SIZE, List.of(8.0, 16.0, 32.0, 64.0, 128.0), DEFAULT_BATCH_SIZE)),
        List.of(MetricSpec.minimize("loss"), MetricSpec.maximize("accuracy")));
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    int length = environment.integer("length");
    if (length % 2 != 0) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB, "length must be an even number but is " + length);
    }
    CharacterData data =
        environment
            .data()
            .map(folder ->
                CharacterData.read(
                    new DataFolder(folder),
                    environment.text("text"),
                    length,
                    environment.integer("characters")))
            .orElseGet(GeneratedText::generate);
    var layers = new ArrayList<LayerSpec>();
    layers.add(new LayerSpec.Embedding(data.alphabet(), environment.integer("embedding")));
    int[] units = NetworkTraining.sizes(environment, "units");
    Arrays.stream(units).forEach(count -> layers.add(new LayerSpec.Lstm(count)));
    layers.add(new LayerSpec.Convolution(data.alphabet(), 1, Activation.NONE));
    var spec = new NetworkSpec(new Shape(1, length, 1), layers);
    var training = new NetworkTraining(spec, environment);
    var opened = new Model(data, length, training);
    model = opened;
    return new ProgramShape(training.tables(), opened.trainingSequences(), DEFAULT_BATCH_SIZE)
        .withValidationSamples(opened.validationSequences());
  }

  /// {@return the characters that the embedding has rows for; other tables have units}
  @Override
  public List<String> rowNames(String table) {
    CharacterData data = opened().data;
    return table.equals(EMBEDDING)
        ? IntStream.range(0, data.alphabet()).mapToObj(data::name).toList()
        : List.of();
  }

  @Override
  public void initialise(ProgramContext context) {
    opened().training.initialise(context);
  }

  @Override
  public Progress clock(ProgramContext context) {
    return ofSamples(context, NetworkTraining::train);
  }

  @Override
  public Progress loss(ProgramContext context) {
    return ofSamples(context, NetworkTraining::loss);
  }

  private Progress ofSamples(
      ProgramContext context, BiFunction<NetworkTraining, ProgramContext, Progress> pass) {
    Model opened = opened();
    int[] samples = context.samples();
    if (samples.length == 0) {
      return new Progress(0, 0);
    }
    Batch batch = opened.training.batch();
    batch.resize(samples.length);
    for (int i = 0; i < samples.length; i++) {
      load(opened, samples[i] * opened.length, i, 0);
    }
    return pass.apply(opened.training, context);
  }

  /// Puts the sequence that begins at a place of the text into the batch.
  ///
  /// @param unjudged how many characters from its start are context only
  private static void load(Model opened, int from, int sample, int unjudged) {
    Batch batch = opened.training.batch();
    int to = sample * opened.length;
    for (int i = 0; i < opened.length; i++) {
      batch.inputs()[to + i] = opened.data.symbol(from + i);
      batch.labels()[to + i] = i < unjudged ? Batch.UNLABELLED : opened.data.symbol(from + i + 1);
    }
  }

  /// Measures `loss` and `accuracy` on the validation part; worker r of W takes every sequence i
  /// with i mod W = r.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    Outcome total = Outcome.NONE;
    int all = opened.validationSequences();
    try (Network.Reading parameters = opened.training.read(context)) {
      int most = opened.training.evaluationBatch(EVALUATION_BATCH);
      for (int[] sequences : context.shareInBatches(0, all, most)) {
        opened.training.batch().resize(sequences.length);
        for (int i = 0; i < sequences.length; i++) {
          int sequence = sequences[i];
          int start = opened.data.training() + sequence * opened.stride();
          load(opened, start, i, sequence == 0 ? 0 : opened.length - opened.stride());
        }
        total = total.plus(parameters.predict(opened.training.batch()));
      }
    }
    return new Evaluation(
        Map.of("loss", total.meanLoss(), "accuracy", total.accuracy()), total.judged());
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
      model.training.close();
      model = null;
    }
  }
}
