package dev.espalier.nn;

/// A way to compute networks.
public interface NeuralEngine {

  /// {@return the name that a job asks for it by}
  String title();

  /// {@return a network of these layers}
  Network build(NetworkSpec spec);
}
