package dev.espalier.runtime;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.programs.fm.FactorizationMachine;
import dev.espalier.programs.lda.LatentDirichletAllocation;
import dev.espalier.programs.logreg.SoftmaxRegression;
import dev.espalier.programs.logreg.SparseLogisticRegression;
import dev.espalier.programs.mf.MatrixFactorization;
import dev.espalier.programs.nn.CharacterLstm;
import dev.espalier.programs.nn.ConvolutionalNetwork;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.programs.pagerank.PageRank;
import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/// The programs this process can run: the built-in ones and those that jars on its class path
/// declare as services of `dev.espalier.sdk.TrainingProgram`.
///
/// A program is found by the name in its descriptor; no class name ever comes from a job.
public final class ProgramCatalog {
  private ProgramCatalog() {}

  static List<TrainingProgram> builtIn() {
    return List.of(
        new MultilayerPerceptron(),
        new ConvolutionalNetwork(),
        new CharacterLstm(),
        new MatrixFactorization(),
        new SparseLogisticRegression(),
        new SoftmaxRegression(),
        new FactorizationMachine(),
        new PageRank(),
        new LatentDirichletAllocation());
  }

  static List<TrainingProgram> declared() {
    var programs = new ArrayList<TrainingProgram>();
    ServiceLoader.load(TrainingProgram.class).forEach(programs::add);
    return programs;
  }

  /// {@return the program of this name}
  ///
  /// @throws EspalierException `INVALID_JOB` when there is none
  public static TrainingProgram named(String name) {
    var all = new ArrayList<>(builtIn());
    all.addAll(declared());
    return all.stream()
        .filter(program -> program.describe().name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.INVALID_JOB,
                "this worker has no program "
                    + name
                    + "; it has "
                    + all.stream().map(program -> program.describe().name()).toList()));
  }
}
