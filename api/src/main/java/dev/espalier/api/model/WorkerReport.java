package dev.espalier.api.model;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What one worker says of its part of the work.
public sealed interface WorkerReport {
  /// The program is open and its data are read.
  ///
  /// @param trainingSamples samples of one epoch over all workers, without those held out
  /// @param probeSamples samples to judge branches by, held out of training or of the validation
  ///   data
  record Ready(long trainingSamples, int defaultBatchSize, long probeSamples)
      implements WorkerReport {
    /// Of a program that trains on all its samples.
    public Ready(long trainingSamples, int defaultBatchSize) {
      this(trainingSamples, defaultBatchSize, 0);
    }
  }

  /// Consecutive clocks of one branch.
  ///
  /// @param fromClock branch-internal number of the first clock
  /// @param lossSums sum of the training loss over this worker's samples of each clock; may be NaN
  /// @param samples this worker's samples of each clock
  /// @param seconds duration of each clock at this worker
  record Progressed(
      BranchId branch,
      long fromClock,
      List<Double> lossSums,
      List<Long> samples,
      List<Double> seconds)
      implements WorkerReport {
    public Progressed {
      lossSums = List.copyOf(lossSums);
      samples = List.copyOf(samples);
      seconds = List.copyOf(seconds);
      if (lossSums.size() != samples.size() || lossSums.size() != seconds.size()) {
        throw new IllegalArgumentException(
            "lists must be of one length but are of "
                + List.of(lossSums.size(), samples.size(), seconds.size()));
      }
    }
  }

  /// This worker's part of an evaluation.
  ///
  /// @param metrics value by name over this worker's validation samples; of a probe the one metric
  ///   whose negative its losses are, where the program measures no loss
  /// @param samples this worker's validation samples; 0 when it had none
  /// @param losses of a probe: mean loss of each block that is this worker's, in order; worker w of
  ///   W has blocks w, w + W, ...; may be NaN; empty for an evaluation
  /// @param otherSamples how many samples are behind metrics that were measured on others than
  ///   `samples`, by name
  /// @param scores of a probe: the program's first metric of each of these blocks, as a mean whose
  ///   small values are good; empty where the losses are of that metric, or training samples judge
  record Evaluated(
      long evaluation,
      Map<String, Double> metrics,
      long samples,
      double seconds,
      List<Double> losses,
      Map<String, Long> otherSamples,
      List<Double> scores)
      implements WorkerReport {
    /// An evaluation on the validation data.
    public Evaluated(long evaluation, Map<String, Double> metrics, long samples, double seconds) {
      this(evaluation, metrics, samples, seconds, List.of(), Map.of(), List.of());
    }

    public Evaluated {
      metrics = Map.copyOf(metrics);
      losses = List.copyOf(losses);
      otherSamples = Map.copyOf(otherSamples);
      scores = List.copyOf(scores);
    }

    /// {@return the blocks of all workers in order: block b is number b / W of worker b mod W's}
    ///
    /// @param parts one of each worker, in order
    /// @param blocks what each worker has of its own blocks
    public static List<Double> joinedBlocks(
        List<Evaluated> parts, Function<Evaluated, List<Double>> blocks) {
      List<List<Double>> own = parts.stream().map(blocks).toList();
      int all = own.stream().mapToInt(List::size).sum();
      return IntStream.range(0, all)
          .mapToObj(block -> own.get(block % own.size()).get(block / own.size()))
          .toList();
    }

    /// {@return the losses by which branches are told apart: of a probe those of its blocks; of an
    /// evaluation the mean loss on the validation samples, alone, or nothing where the program's
    /// first metric is that, or there is none}
    ///
    /// @param parts one of each worker, in order
    /// @param metrics of the program, in its order
    public static List<Double> joinedLosses(List<Evaluated> parts, List<MetricSpec> metrics) {
      List<Double> blocks = joinedBlocks(parts, Evaluated::losses);
      MetricSpec loss =
          MetricSpec.lossOf(
              metrics,
              parts.stream()
                  .flatMap(part -> part.otherSamples().keySet().stream())
                  .collect(Collectors.toSet()));
      return !blocks.isEmpty() || loss.equals(metrics.getFirst())
          ? blocks
          : loss.joined(parts).stream().mapToObj(loss::asLoss).toList();
    }

    /// {@return how many samples are behind a metric}
    public long samplesOf(String metric) {
      return otherSamples.getOrDefault(metric, samples);
    }
  }

  /// This worker's shard of a checkpoint is durable.
  record CheckpointWritten(long checkpoint, long sizeBytes) implements WorkerReport {}

  /// This worker's shard of a checkpoint could not be written; training goes on.
  record CheckpointFailed(long checkpoint, String message) implements WorkerReport {}

  /// Measured duration of forks, for the metrics endpoint.
  record Forked(BranchId branch, double seconds) implements WorkerReport {}

  /// The program or its input failed; the job cannot go on.
  record Failed(ErrorCode code, String message) implements WorkerReport {}
}
