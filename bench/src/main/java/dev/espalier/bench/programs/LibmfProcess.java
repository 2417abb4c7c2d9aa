package dev.espalier.bench.programs;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.espalier.bench.frame.Rate;
import dev.espalier.data.DataFolder;
import dev.espalier.data.Ratings;
import dev.espalier.data.RatingsReader;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.stream.DoubleStream;

/// The process of [Libmf]: structures and functions are those of `mf.h`.
final class LibmfProcess {
  /// Begins the line with the ratings per second and the test error.
  static final String RESULT = "LIBMF ";

  private static final int ROUNDS = 3;

  private static final StructLayout RATING =
      MemoryLayout.structLayout(
          JAVA_INT.withName("u"), JAVA_INT.withName("v"), JAVA_FLOAT.withName("r"));

  private static final StructLayout PROBLEM =
      MemoryLayout.structLayout(
          JAVA_INT.withName("m"),
          JAVA_INT.withName("n"),
          JAVA_LONG.withName("nnz"),
          ADDRESS.withName("R"));

  private static final StructLayout PARAMETER =
      MemoryLayout.structLayout(
          JAVA_INT.withName("fun"),
          JAVA_INT.withName("k"),
          JAVA_INT.withName("nr_threads"),
          JAVA_INT.withName("nr_bins"),
          JAVA_INT.withName("nr_iters"),
          JAVA_FLOAT.withName("lambda_p1"),
          JAVA_FLOAT.withName("lambda_p2"),
          JAVA_FLOAT.withName("lambda_q1"),
          JAVA_FLOAT.withName("lambda_q2"),
          JAVA_FLOAT.withName("eta"),
          JAVA_FLOAT.withName("alpha"),
          JAVA_FLOAT.withName("c"),
          JAVA_BOOLEAN.withName("do_nmf"),
          JAVA_BOOLEAN.withName("quiet"),
          JAVA_BOOLEAN.withName("copy_data"),
          MemoryLayout.paddingLayout(1));

  private final SymbolLookup symbols;
  private final Ratings training;
  private final MemorySegment problem;
  private final MemorySegment parameter;

  private LibmfProcess(Path library, Ratings training, Arena arena) throws Throwable {
    this.symbols = library(library, arena);
    this.training = training;
    problem = problem(training, arena);
    parameter =
        (MemorySegment)
            function("mf_get_default_param", FunctionDescriptor.of(PARAMETER))
                .invokeExact((SegmentAllocator) arena);
    parameter.set(JAVA_BOOLEAN, offset(PARAMETER, "quiet"), true);
  }

  /// Measures what [Libmf#train] asks for.
  public static void main(String[] arguments) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      var folder = new DataFolder(Path.of(arguments[1]));
      var libmf =
          new LibmfProcess(
              Path.of(arguments[0]), RatingsReader.read(folder.require("u1.base")), arena);
      libmf.set("k", Integer.parseInt(arguments[2]));
      libmf.set("eta", Float.parseFloat(arguments[3]));
      libmf.set("lambda_p2", Float.parseFloat(arguments[4]));
      libmf.set("lambda_q2", Float.parseFloat(arguments[4]));
      libmf.set("nr_threads", Integer.parseInt(arguments[5]));
      Ratings test = RatingsReader.read(folder.require("u1.test"));
      libmf.measure(test, Integer.parseInt(arguments[6]));
    }
  }

  @SuppressWarnings("restricted") // loading the library is what it is for
  private static SymbolLookup library(Path file, Arena arena) {
    return SymbolLookup.libraryLookup(file.toAbsolutePath(), arena);
  }

  @SuppressWarnings("restricted") // signatures as the library's header has them
  private MethodHandle function(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), descriptor);
  }

  private static MemorySegment problem(Ratings ratings, Arena arena) {
    MemorySegment entries = arena.allocate(RATING, ratings.count());
    for (int i = 0; i < ratings.count(); i++) {
      long entry = i * RATING.byteSize();
      entries.set(JAVA_INT, entry + offset(RATING, "u"), ratings.users()[i]);
      entries.set(JAVA_INT, entry + offset(RATING, "v"), ratings.items()[i]);
      entries.set(JAVA_FLOAT, entry + offset(RATING, "r"), ratings.values()[i]);
    }
    MemorySegment problem = arena.allocate(PROBLEM);
    problem.set(JAVA_INT, offset(PROBLEM, "m"), ratings.userCount());
    problem.set(JAVA_INT, offset(PROBLEM, "n"), ratings.itemCount());
    problem.set(JAVA_LONG, offset(PROBLEM, "nnz"), ratings.count());
    problem.set(ADDRESS, offset(PROBLEM, "R"), entries);
    return problem;
  }

  private void set(String name, int value) {
    parameter.set(JAVA_INT, offset(PARAMETER, name), value);
  }

  private void set(String name, float value) {
    parameter.set(JAVA_FLOAT, offset(PARAMETER, name), value);
  }

  private static long offset(StructLayout layout, String field) {
    return layout.byteOffset(groupElement(field));
  }

  private void measure(Ratings test, int passes) throws Throwable {
    double[] seconds = new double[ROUNDS];
    double error = Double.NaN;
    for (int round = 0; round < ROUNDS; round++) {
      long start = System.nanoTime();
      destroy(trained(1));
      long middle = System.nanoTime();
      MemorySegment model = trained(passes);
      seconds[round] = (System.nanoTime() - middle - (middle - start)) / 1e9 / (passes - 1);
      error = error(model, test);
      destroy(model);
    }
    double passSeconds = Rate.median(DoubleStream.of(seconds));
    System.out.println(RESULT + training.count() / passSeconds + " " + error);
  }

  /// {@return the address of a model, which is to be destroyed}
  private MemorySegment trained(int passes) throws Throwable {
    set("nr_iters", passes);
    var model =
        (MemorySegment)
            function("mf_train", FunctionDescriptor.of(ADDRESS, ADDRESS, PARAMETER))
                .invokeExact(problem, parameter);
    if (model.address() == 0) {
      throw new IllegalArgumentException("LIBMF refuses the parameters");
    }
    return model;
  }

  private double error(MemorySegment model, Ratings test) throws Throwable {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (float value : training.values()) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    MethodHandle predict =
        function("mf_predict", FunctionDescriptor.of(JAVA_FLOAT, ADDRESS, JAVA_INT, JAVA_INT));
    double squares = 0;
    for (int i = 0; i < test.count(); i++) {
      float predicted = (float) predict.invokeExact(model, test.users()[i], test.items()[i]);
      double error = Math.clamp(predicted, min, max) - test.values()[i];
      squares += error * error;
    }
    return Math.sqrt(squares / test.count());
  }

  private void destroy(MemorySegment model) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ADDRESS);
      pointer.set(ADDRESS, 0, model);
      function("mf_destroy_model", FunctionDescriptor.ofVoid(ADDRESS)).invokeExact(pointer);
    }
  }
}
