package dev.espalier.nn.torch;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.nn.Activation;
import dev.espalier.nn.Batch;
import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.NetworkSpec.Parameters;
import dev.espalier.nn.Outcome;
import dev.espalier.nn.Shape;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.TableView;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/* The library asks for the parameters of a layer when its turn comes, and hands its gradient over
 * from the hook of its tensor, while the layers before it are still to be computed; where both lie on
 * a device, when all are made, since hooks run on a thread of the library there. So all call backs
 * come on the thread that called.
 *
 * Parameters are views of the table's memory where it offers them, and are copied where it does not.
 * What goes wrong in a call back must not cross the library: it is kept, the library is told to fail,
 * and it is thrown when the library has returned.
 */
/// A network in libtorch; its parameters are tensors over the memory of the tables.
final class TorchNetwork implements Network {
  private static final int DENSE = 0;
  private static final int CONVOLUTION = 1;
  private static final int LARGEST = 2;
  private static final int MEAN = 3;
  private static final int EMBEDDING = 4;
  private static final int LSTM = 5;
  private static final int NUMBERS_PER_LAYER = 5;
  private static final int HOST = -1;

  /// What is said of gradients.
  private static final int TAKEN = 0;

  private static final int FAILED = 1;
  private static final int NOT_FROM_THERE = 2;
  private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

  private final NetworkSpec spec;
  private final int device;
  private final TorchLibrary library;

  /// Shared, for who builds a network need not be the thread that uses it and then closes it.
  private final Arena arena = Arena.ofShared();

  private final Map<Long, Matrix> matrices = new HashMap<>();
  private final MethodHandle run;
  private final MemorySegment network;
  private final MemorySegment parametersOf;
  private final MemorySegment gradientOf;
  private final MemorySegment result;
  private Arena batchArena = Arena.ofShared();
  private MemorySegment inputs = MemorySegment.NULL;
  private MemorySegment labels = MemorySegment.NULL;
  private @Nullable ProgramContext tables;
  private @Nullable Throwable failure;

  TorchNetwork(NetworkSpec spec, TorchLibrary library, int device) {
    this.spec = spec;
    this.library = library;
    this.device = device;
    for (Parameters parameters : spec.parameters()) {
      matrices.put((long) parameters.layer(), new Matrix(parameters));
    }
    run =
        library.function(
            "et_run",
            FunctionDescriptor.of(
                JAVA_INT,
                ADDRESS,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                JAVA_DOUBLE,
                ADDRESS,
                ADDRESS,
                ADDRESS));
    parametersOf = upcall("parametersOf", FunctionDescriptor.of(ADDRESS, JAVA_LONG, ADDRESS));
    gradientOf =
        upcall("gradientOf", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS, JAVA_INT));
    result = arena.allocate(2 * Double.BYTES + Long.BYTES, Long.BYTES);
    network = build();
  }

  @SuppressWarnings("restricted") // methods of this class, with the signatures the library calls
  private MemorySegment upcall(String method, FunctionDescriptor descriptor) {
    try {
      return Linker.nativeLinker()
          .upcallStub(LOOKUP.bind(this, method, descriptor.toMethodType()), descriptor, arena);
    } catch (ReflectiveOperationException impossible) {
      throw new IllegalStateException("no method " + method, impossible);
    }
  }

  private MemorySegment build() {
    try (Arena temporary = Arena.ofConfined()) {
      var built =
          (MemorySegment)
              library
                  .function(
                      "et_build",
                      FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT))
                  .invoke(
                      temporary.allocateFrom(
                          JAVA_LONG,
                          spec.input().height(),
                          spec.input().width(),
                          spec.input().channels()),
                      temporary.allocateFrom(JAVA_LONG, numbers()),
                      (long) spec.layers().size(),
                      device);
      if (built.equals(MemorySegment.NULL)) {
        throw refused();
      }
      return built;
    } catch (RuntimeException | Error known) {
      throw known;
    } catch (Throwable unexpected) {
      throw new IllegalStateException(unexpected);
    }
  }

  private EspalierException refused() {
    return new EspalierException(ErrorCode.PROGRAM_FAILED, "libtorch: " + library.error());
  }

  private long[] numbers() {
    long[] numbers = new long[NUMBERS_PER_LAYER * spec.layers().size()];
    for (int i = 0; i < spec.layers().size(); i++) {
      LayerSpec layer = spec.layers().get(i);
      Shape in = spec.shape(i);
      int at = i * NUMBERS_PER_LAYER;
      Activation activation = Activation.NONE;
      switch (layer) {
        case LayerSpec.Dense(int _, Activation own) -> {
          numbers[at] = DENSE;
          activation = own;
        }
        case LayerSpec.Convolution(int _, int kernel, Activation own) -> {
          numbers[at] = CONVOLUTION;
          numbers[at + 1] = kernel;
          activation = own;
        }
        case LayerSpec.Pooling(boolean largest, int size) -> {
          numbers[at] = largest ? LARGEST : MEAN;
          numbers[at + 1] = size;
        }
        case LayerSpec.Embedding _ -> numbers[at] = EMBEDDING;
        case LayerSpec.Lstm(int units) -> {
          numbers[at] = LSTM;
          numbers[at + 1] = units;
        }
      }
      numbers[at + 2] =
          switch (activation) {
            case NONE -> 0;
            case RELU -> 1;
            case TANH -> 2;
          };
      numbers[at + 3] = layer.rows(in);
      numbers[at + 4] = layer.columns(in);
    }
    return numbers;
  }

  /// The parameters of a layer: a view, or a copy where there is none.
  private final class Matrix {
    private final Parameters parameters;
    private float[] values = {};
    private Optional<TableView> view = Optional.empty();
    private MemorySegment copy = MemorySegment.NULL;

    Matrix(Parameters parameters) {
      this.parameters = parameters;
    }

    /// Where what has no view, or comes from the host, is copied through.
    private float[] values() {
      if (values.length == 0) {
        values = new float[parameters.size()];
      }
      return values;
    }

    void read(ProgramContext from) {
      release();
      ParameterTable table = from.table(parameters.table());
      view = table.view();
      if (isOnDevice() && device == HOST) {
        release();
      }
      if (view.isEmpty()) {
        if (copy.equals(MemorySegment.NULL)) {
          copy = arena.allocate(JAVA_FLOAT, parameters.size());
        }
        table.read(0, parameters.rows(), values(), 0);
        MemorySegment.copy(values, 0, copy, JAVA_FLOAT, 0, parameters.size());
      }
    }

    MemorySegment memory() {
      return view.map(TableView::address).map(MemorySegment::ofAddress).orElse(copy);
    }

    boolean isOnDevice() {
      return view.map(TableView::isOnDevice).orElse(false);
    }

    @SuppressWarnings("restricted") // as large as the matrix, says the library
    void add(ProgramContext to, MemorySegment gradients) {
      int size = parameters.size();
      MemorySegment.copy(gradients.reinterpret(4L * size), JAVA_FLOAT, 0, values(), 0, size);
      to.table(parameters.table()).add(0, parameters.rows(), values(), 0);
    }

    boolean addFromDevice(ProgramContext to, MemorySegment gradients) {
      return isOnDevice() && to.table(parameters.table()).addFromDevice(gradients.address());
    }

    void release() {
      view.ifPresent(TableView::close);
      view = Optional.empty();
    }
  }

  private Matrix matrixOf(long layer) {
    Matrix matrix = matrices.get(layer);
    if (matrix == null) {
      throw new IllegalStateException("layer " + layer + " has no parameters");
    }
    return matrix;
  }

  /// Called by the library; `where` receives the device.
  @SuppressWarnings({"restricted", "unused"}) // an int, says the library; called by it
  private MemorySegment parametersOf(long layer, MemorySegment where) {
    try {
      Matrix matrix = matrixOf(layer);
      if (tables != null) {
        matrix.read(tables);
      }
      where.reinterpret(Integer.BYTES).set(JAVA_INT, 0, matrix.isOnDevice() ? device : HOST);
      return matrix.memory();
    } catch (Throwable e) {
      failure = e;
      return MemorySegment.NULL;
    }
  }

  /// Called by the library; `where` is the device on which the gradients lie.
  @SuppressWarnings("unused") // called by the library
  private int gradientOf(long layer, MemorySegment gradients, int where) {
    try {
      if (tables == null) {
        return TAKEN;
      }
      Matrix matrix = matrixOf(layer);
      if (where == HOST) {
        matrix.add(tables, gradients);
        return TAKEN;
      }
      return matrix.addFromDevice(tables, gradients) ? TAKEN : NOT_FROM_THERE;
    } catch (Throwable e) {
      failure = e;
      return FAILED;
    }
  }

  @Override
  public Reading read(ProgramContext from) {
    matrices.values().forEach(matrix -> matrix.read(from));
    return new Reading() {
      @Override
      public Outcome predict(Batch batch) {
        return run(batch, 0, MemorySegment.NULL);
      }

      @Override
      public void close() {
        release();
      }
    };
  }

  /// Lets the memory of the tables go.
  private void release() {
    matrices.values().forEach(Matrix::release);
  }

  @Override
  public Outcome train(ProgramContext context, Batch batch, double weightDecay) {
    tables = context;
    try {
      return run(batch, weightDecay, gradientOf);
    } finally {
      tables = null;
      release();
    }
  }

  private Outcome run(Batch batch, double weightDecay, MemorySegment gradients) {
    load(batch);
    failure = null;
    int status;
    try {
      status =
          (int)
              run.invokeExact(
                  network,
                  (long) batch.count(),
                  inputs,
                  labels,
                  weightDecay,
                  parametersOf,
                  gradients,
                  result);
    } catch (Throwable unexpected) {
      throw new IllegalStateException(unexpected);
    }
    switch (failure) {
      case null -> {}
      case RuntimeException known -> throw known;
      case Error known -> throw known;
      default -> throw new IllegalStateException(failure);
    }
    if (status != 0) {
      throw refused();
    }
    return new Outcome(
        result.get(JAVA_DOUBLE, 0),
        (int) result.get(JAVA_LONG, 2 * Double.BYTES),
        batch.labelled(),
        result.get(JAVA_DOUBLE, Double.BYTES));
  }

  private void load(Batch batch) {
    long inputValues = (long) batch.count() * spec.input().size();
    long labelValues = (long) batch.count() * spec.scores().positions();
    if (inputs.byteSize() < 4 * inputValues || labels.byteSize() < 4 * labelValues) {
      batchArena.close();
      batchArena = Arena.ofShared();
      inputs = batchArena.allocate(JAVA_FLOAT, inputValues);
      labels = batchArena.allocate(JAVA_INT, labelValues);
    }
    MemorySegment.copy(batch.inputs(), 0, inputs, JAVA_FLOAT, 0, (int) inputValues);
    MemorySegment.copy(batch.labels(), 0, labels, JAVA_INT, 0, (int) labelValues);
  }

  @Override
  public void close() {
    release();
    try {
      library.function("et_free", FunctionDescriptor.ofVoid(ADDRESS)).invoke(network);
    } catch (Throwable unexpected) {
      throw new IllegalStateException(unexpected);
    }
    batchArena.close();
    arena.close();
  }
}
