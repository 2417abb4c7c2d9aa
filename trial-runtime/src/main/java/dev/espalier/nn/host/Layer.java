package dev.espalier.nn.host;

/// The computation of one layer; it may keep of the last `forward` what `backward` needs.
interface Layer {

  /// Computes the first `count` samples of `output`.
  void forward(Signal input, Signal output, int count);

  /// Whether `backward` can give the weights' gradient as products of vectors, one for each sample;
  /// then it does where [Weights#takesProducts] says so.
  default boolean givesProducts() {
    return false;
  }

  /// Adds to the gradient sums of the layer's weights and, where `input` is differentiable,
  /// overwrites its gradients. May use the gradients of `output` as room to work.
  void backward(Signal input, Signal output, int count);
}
