package dev.espalier.sdk;

import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProgramDescriptor;
import java.util.HashSet;
import java.util.List;

/// What a program needs from the runtime.
///
/// @param tables at least one, names unique
/// @param trainingSamples number of samples in the training data over all workers, >= 1
/// @param defaultBatchSize samples per worker and clock where no setting names `batchSize`, >= 1
/// @param samplesPerRun samples that are visited one after the other, >= 1: an epoch shuffles runs
///   of so many, for programs that have put into a run what shares parameters; 1 shuffles samples
/// @param isDealtOut whether each sample belongs to one worker for good, so that no two of them
///   ever work on the same one: for programs that keep something for each sample in a table
/// @param validationSamples samples that `evaluate` takes from `ProgramContext.share`, each of
///   whose metrics is a mean, or the root of one, over those it was given; 0, the default, where it
///   does not. Branches are judged by parts of them, so that no training samples need be held out
public record ProgramShape(
    List<TableDeclaration> tables,
    int trainingSamples,
    int defaultBatchSize,
    int samplesPerRun,
    boolean isDealtOut,
    int validationSamples) {
  public ProgramShape {
    tables = List.copyOf(tables);
    if (tables.isEmpty()) {
      throw new IllegalArgumentException("a program needs at least one table but declared none");
    }
    if (trainingSamples < 1) {
      throw new IllegalArgumentException("trainingSamples must be >= 1 but is " + trainingSamples);
    }
    if (defaultBatchSize < 1) {
      throw new IllegalArgumentException(
          "defaultBatchSize must be >= 1 but is " + defaultBatchSize);
    }
    if (samplesPerRun < 1) {
      throw new IllegalArgumentException("samplesPerRun must be >= 1 but is " + samplesPerRun);
    }
    if (validationSamples < 0) {
      throw new IllegalArgumentException(
          "validationSamples must be >= 0 but is " + validationSamples);
    }
    var names = new HashSet<String>();
    for (TableDeclaration table : tables) {
      if (!names.add(table.name())) {
        throw new IllegalArgumentException("table " + table.name() + " is declared twice");
      }
    }
  }

  /// A shape whose samples are shuffled one by one.
  public ProgramShape(List<TableDeclaration> tables, int trainingSamples, int defaultBatchSize) {
    this(tables, trainingSamples, defaultBatchSize, 1, false, 0);
  }

  /// {@return the same shape with samples visited in runs}
  public ProgramShape inRunsOf(int samples) {
    return new ProgramShape(
        tables, trainingSamples, defaultBatchSize, samples, isDealtOut, validationSamples);
  }

  /// {@return the same shape with samples dealt out: each goes to one worker alone, always the
  /// same}
  public ProgramShape dealtOut() {
    return new ProgramShape(
        tables, trainingSamples, defaultBatchSize, samplesPerRun, true, validationSamples);
  }

  /// {@return the same shape with fewer or more training samples}
  public ProgramShape withTrainingSamples(int samples) {
    return new ProgramShape(
        tables, samples, defaultBatchSize, samplesPerRun, isDealtOut, validationSamples);
  }

  /// {@return the same shape with validation samples that can be measured part by part}
  public ProgramShape withValidationSamples(int samples) {
    return new ProgramShape(
        tables, trainingSamples, defaultBatchSize, samplesPerRun, isDealtOut, samples);
  }

  /// {@return how many training samples are held out of training}
  ///
  /// @param heldOut what the tuner wishes for
  public int heldOut(HeldOut heldOut) {
    return heldOut.of(trainingSamples, validationSamples);
  }

  /// {@return samples per worker and clock where a setting names none: the default batch size, or
  /// what there is to train on where that is less}
  ///
  /// @param heldOut what the tuner wishes for
  public int batchSize(HeldOut heldOut, int workers) {
    int trained = trainingSamples - heldOut(heldOut);
    return Math.clamp(trained / workers, 1, defaultBatchSize);
  }

  /// {@return how many samples there are to judge branches by}
  ///
  /// @param heldOut what the tuner wishes for
  public int probeSamples(HeldOut heldOut) {
    return heldOut.probeSamples(trainingSamples, validationSamples);
  }

  /// Tables for training data of so many samples, at the default batch size of
  /// `ProgramDescriptor.of`.
  public static ProgramShape of(int trainingSamples, TableDeclaration... tables) {
    return new ProgramShape(List.of(tables), trainingSamples, ProgramDescriptor.DEFAULT_BATCH_SIZE);
  }
}
