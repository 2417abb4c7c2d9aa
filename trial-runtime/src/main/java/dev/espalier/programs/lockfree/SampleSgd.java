package dev.espalier.programs.lockfree;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.TableDeclaration;
import java.util.Optional;
import java.util.stream.Stream;

/// The arguments of programs that can step after each sample instead of once a clock.
public final class SampleSgd {
  private static final String NAME = "sample-sgd";

  /// Copied whole after a fork, which takes less than a clock, rows of a small table are found
  /// faster.
  private static final long MAX_TOGETHER_BYTES = 4 << 20;

  private SampleSgd() {}

  /// {@return the argument `optimizer`: an update rule of the server, or a step a sample}
  ///
  /// @param what describes it
  /// @param sample what a sample is called
  public static Argument optimizer(String what, String sample, String defaultRule) {
    return Argument.choice(
        "optimizer",
        what
            + "; sample-sgd steps after each %s, the fastest to train with large batches"
                .formatted(sample),
        defaultRule,
        Stream.concat(TableDeclaration.RULES.stream(), Stream.of(NAME)).toList());
  }

  /// {@return the argument `threads`}
  ///
  /// @param how they share rows
  public static Argument threads(String how) {
    return Argument.integer("threads", "threads of a worker's clock, sample-sgd only, " + how, 1)
        .within(1, 256);
  }

  /// {@return what takes the samples of a clock, to be closed with the program; empty where the
  /// server steps}
  ///
  /// @throws EspalierException when there are to be several threads where the server steps
  public static Optional<SampleThreads> chosen(ProgramEnvironment environment) {
    String rule = environment.text("optimizer");
    int threads = environment.integer("threads");
    if (rule.equals(NAME)) {
      return Optional.of(new SampleThreads(threads));
    }
    if (threads > 1) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "threads must be 1 unless the optimizer is %s but is %d and the optimizer %s"
              .formatted(NAME, threads, rule));
    }
    return Optional.empty();
  }

  /// {@return a table of which a clock touches some rows; all in one page where samples step and it
  /// is small}
  ///
  /// @param optimizer the argument's value
  public static TableDeclaration table(String name, long rows, int columns, String optimizer) {
    boolean liesTogether =
        optimizer.equals(NAME) && Float.BYTES * rows * columns <= MAX_TOGETHER_BYTES;
    String rule = tableRule(optimizer);
    return liesTogether
        ? TableDeclaration.matrix(name, rows, columns, rule)
        : TableDeclaration.sparse(name, rows, columns, rule);
  }

  /// {@return the update rule of the tables: who steps after each sample adds differences}
  ///
  /// @param optimizer the argument's value
  public static String tableRule(String optimizer) {
    return optimizer.equals(NAME) ? "add" : optimizer;
  }
}
