package dev.espalier.nn;

/// One layer of a network, as a value: every engine builds its own computation from it.
///
/// The parameters of a layer are one matrix; rows are inputs and, in the last row, the bias.
public sealed interface LayerSpec {

  /// {@return the shape that comes out of the layer}
  ///
  /// @throws IllegalArgumentException when the layer does not fit the input
  Shape output(Shape input);

  /// {@return values that a pass forward keeps of one sample: about, for engines differ}
  default long values(Shape input) {
    return output(input).size();
  }

  /// {@return rows of the parameter matrix; 0 for a layer without parameters}
  int rows(Shape input);

  /// {@return columns of the parameter matrix; 0 for a layer without parameters}
  int columns(Shape input);

  /// A product of all values of a sample with a matrix of (inputs + 1) x outputs.
  ///
  /// @param outputs >= 1
  record Dense(int outputs, Activation activation) implements LayerSpec {
    public Dense {
      requirePositive("outputs", outputs);
    }

    @Override
    public Shape output(Shape input) {
      return Shape.vector(outputs);
    }

    @Override
    public int rows(Shape input) {
      return input.size() + 1;
    }

    @Override
    public int columns(Shape input) {
      return outputs;
    }
  }

  /// A convolution with stride 1 and zeros around the input, so that height and width stay.
  ///
  /// Row `(ky kernel + kx) inputChannels + c` of the matrix holds the weights of input channel c at
  /// the offset (ky, kx) of the window. With a kernel of 1 it is a dense layer at each position.
  ///
  /// @param channels channels that come out, >= 1
  /// @param kernel side of the window, odd and >= 1
  record Convolution(int channels, int kernel, Activation activation) implements LayerSpec {
    public Convolution {
      requirePositive("channels", channels);
      if (kernel < 1 || kernel % 2 == 0) {
        throw new IllegalArgumentException("kernel must be odd and >= 1 but is " + kernel);
      }
    }

    @Override
    public Shape output(Shape input) {
      return new Shape(input.height(), input.width(), channels);
    }

    @Override
    public int rows(Shape input) {
      return kernel * kernel * input.channels() + 1;
    }

    @Override
    public int columns(Shape input) {
      return channels;
    }
  }

  /// The largest or the mean value of each square of `size` x `size` positions, channel by channel;
  /// rows and columns that fill no square are left out.
  ///
  /// @param largest whether it is the largest; otherwise it is the mean
  /// @param size >= 1
  record Pooling(boolean largest, int size) implements LayerSpec {
    public Pooling {
      requirePositive("size", size);
    }

    @Override
    public Shape output(Shape input) {
      if (input.height() < size || input.width() < size) {
        throw new IllegalArgumentException(
            "pooling needs at least " + size + " x " + size + " positions but has " + input);
      }
      return new Shape(input.height() / size, input.width() / size, input.channels());
    }

    @Override
    public int rows(Shape input) {
      return 0;
    }

    @Override
    public int columns(Shape input) {
      return 0;
    }
  }

  /// A row of a matrix of tokens x width for each position; the input is the number of a token in
  /// the one channel of each position, as a float. Only the first layer may be one. No bias.
  ///
  /// @param tokens how many different ones there are, >= 1
  /// @param width values that stand for a token, >= 1
  record Embedding(int tokens, int width) implements LayerSpec {
    public Embedding {
      requirePositive("tokens", tokens);
      requirePositive("width", width);
    }

    @Override
    public Shape output(Shape input) {
      if (input.channels() != 1) {
        throw new IllegalArgumentException("an embedding needs one channel but has " + input);
      }
      return new Shape(input.height(), input.width(), width);
    }

    @Override
    public int rows(Shape input) {
      return tokens;
    }

    @Override
    public int columns(Shape input) {
      return width;
    }
  }

  /// Long short-term memory over the positions of a sample, from a state of zeros (Hochreiter and
  /// Schmidhuber 1997 with the forget gate of Gers et al. 2000).
  ///
  /// `(i, f, g, o) = x_t W_x + h_(t-1) W_h + b`, the logistic function on i, f and o and tanh on g;
  /// `c_t = f c_(t-1) + i g`, `h_t = o tanh(c_t)`. The matrix is (inputs + units + 1) x 4 units.
  ///
  /// @param units >= 1
  record Lstm(int units) implements LayerSpec {
    public Lstm {
      requirePositive("units", units);
    }

    @Override
    public Shape output(Shape input) {
      return new Shape(input.height(), input.width(), units);
    }

    /// What comes out, the four gates, the cells and what they are squashed to.
    @Override
    public long values(Shape input) {
      return 7L * output(input).size();
    }

    @Override
    public int rows(Shape input) {
      return input.channels() + units + 1;
    }

    @Override
    public int columns(Shape input) {
      return 4 * units;
    }
  }

  private static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be >= 1 but is " + value);
    }
  }
}
