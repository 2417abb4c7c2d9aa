package dev.espalier.ps.kernel;

/// The choice of [RowKernels], made once, with its reason.
///
/// The system property `espalier.kernels` (`scalar` or `vector`) overrides the choice.
///
/// @param kernels what was chosen
/// @param reason why, in one line
public record RowKernelsProvider(RowKernels kernels, String reason) {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";
  private static final RowKernelsProvider CHOSEN = detect();

  /// The choice for this process.
  public static RowKernelsProvider chosen() {
    return CHOSEN;
  }

  /// The kernels of this process.
  public static RowKernels best() {
    return CHOSEN.kernels;
  }

  /// Kernels by name, for comparisons.
  ///
  /// @param name `scalar`, or `vector` for these where the JVM has the module
  public static RowKernels named(String name) {
    return choose(name, ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent()).kernels;
  }

  private static RowKernelsProvider detect() {
    String wish = System.getProperty("espalier.kernels", "");
    boolean hasModule = ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
    RowKernelsProvider choice = choose(wish, hasModule);
    System.getLogger(RowKernelsProvider.class.getName())
        .log(
            System.Logger.Level.INFO,
            "kernels={0} reason={1}",
            choice.kernels.name(),
            choice.reason);
    return choice;
  }

  /// Decides from the wish and the presence of the module.
  ///
  /// @param wish `scalar`, `vector` or empty
  /// @param hasVectorModule whether the JVM was started with the incubator module
  static RowKernelsProvider choose(String wish, boolean hasVectorModule) {
    if (wish.equals("scalar")) {
      return new RowKernelsProvider(new ScalarRowKernels(), "espalier.kernels=scalar");
    }
    if (!hasVectorModule) {
      return new RowKernelsProvider(
          new ScalarRowKernels(), "no module " + VECTOR_MODULE + " (start with --add-modules)");
    }
    try {
      Class<?> type = Class.forName("dev.espalier.ps.kernel.VectorRowKernels");
      RowKernels vector = (RowKernels) type.getDeclaredConstructor().newInstance();
      return new RowKernelsProvider(vector, "module " + VECTOR_MODULE + " is present");
    } catch (ReflectiveOperationException | LinkageError e) {
      return new RowKernelsProvider(new ScalarRowKernels(), "vector kernels do not load: " + e);
    }
  }
}
