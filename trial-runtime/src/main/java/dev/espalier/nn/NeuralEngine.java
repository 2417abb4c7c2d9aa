package dev.espalier.nn;

/// A way to compute networks.
///
/// Engines that are not built in are declared as services of this type.
public interface NeuralEngine {

  /// {@return the name that a job asks for it by}
  String name();

  /// {@return a network of these layers}
  Network build(NetworkSpec spec);
}
