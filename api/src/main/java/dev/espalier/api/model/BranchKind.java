package dev.espalier.api.model;

/// Why a branch exists.
public enum BranchKind {
  /// The training run itself: the chain of winners.
  MAINLINE,
  /// A setting on trial.
  TRIAL,
  /// A measurement that changes no parameter: a learning rate of zero.
  EVALUATION
}
