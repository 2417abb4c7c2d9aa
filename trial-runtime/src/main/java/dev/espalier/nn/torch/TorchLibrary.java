package dev.espalier.nn.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/* The library is compiled from `src/main/native` where a libtorch is, and looked for once. It stays
 * loaded: libtorch cannot be unloaded.
 *
 * OpenMP and OpenBLAS read the environment when they load. Their threads spin while they wait, which
 * ruins every other process of the machine, so unless the user has set something else they get one
 * thread and wait asleep. cuBLAS gives the same bits each time only with a fixed work space.
 */
/// The door to libtorch: whether it is there, and its functions.
public final class TorchLibrary {
  /// Environment variable that names the compiled library.
  public static final String PATH_VARIABLE = "ESPALIER_TORCH";

  /// Environment variable with the number of threads of a worker, 1 if not set.
  public static final String THREADS_VARIABLE = "ESPALIER_TORCH_THREADS";

  private static final String FILE = "libespalier_torch.so";
  private static final long LONGEST_MESSAGE = 1 << 16;
  private static final List<List<String>> ENVIRONMENT =
      List.of(
          List.of("OPENBLAS_NUM_THREADS", "1"),
          List.of("OMP_WAIT_POLICY", "PASSIVE"),
          List.of("CUBLAS_WORKSPACE_CONFIG", ":4096:8"));

  /// What was found.
  public sealed interface Result {}

  /// It works.
  ///
  /// @param library its functions
  /// @param file where it lies
  /// @param version of libtorch
  /// @param devices that libtorch can use
  public record Found(TorchLibrary library, Path file, String version, int devices)
      implements Result {}

  /// It does not.
  ///
  /// @param reason why, one sentence
  public record Missing(String reason) implements Result {}

  private static final class Holder {
    static final Result RESULT = find();
  }

  private final SymbolLookup symbols;

  private TorchLibrary(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  /// Looks for the library; never throws.
  public static Result probe() {
    return Holder.RESULT;
  }

  private static Result find() {
    List<Path> places = places();
    for (Path place : places) {
      if (Files.isRegularFile(place)) {
        return load(place);
      }
    }
    return new Missing(
        "there is no %s, which build.sh of trial-runtime/src/main/native makes; looked at %s"
            .formatted(FILE, places));
  }

  private static List<Path> places() {
    var places = new ArrayList<Path>();
    String named = System.getenv(PATH_VARIABLE);
    if (named != null && !named.isBlank()) {
      places.add(Path.of(named));
    } else {
      codeFolder().ifPresent(folder -> places.add(folder.resolve("native").resolve(FILE)));
    }
    return places;
  }

  /// The folder that holds the jar or the folder of classes.
  private static Optional<Path> codeFolder() {
    CodeSource source = TorchLibrary.class.getProtectionDomain().getCodeSource();
    if (source == null) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(Path.of(source.getLocation().toURI()).getParent());
    } catch (URISyntaxException _) {
      return Optional.empty();
    }
  }

  @SuppressWarnings("restricted") // loading the library is what it is for
  private static Result load(Path file) {
    try {
      for (List<String> variable : ENVIRONMENT) {
        setUnlessSet(variable.getFirst(), variable.getLast());
      }
      var library =
          new TorchLibrary(SymbolLookup.libraryLookup(file.toAbsolutePath(), Arena.global()));
      library
          .function("et_set_up", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
          .invoke(threads(System.getenv(THREADS_VARIABLE)));
      int devices =
          (int)
              library.function("et_devices", FunctionDescriptor.of(ValueLayout.JAVA_INT)).invoke();
      return devices < 0
          ? new Missing("libtorch fails to count its devices: " + library.error())
          : new Found(library, file, library.text("et_version"), devices);
    } catch (IllegalArgumentException | IllegalCallerException failure) {
      return new Missing(file + " does not load: " + failure.getMessage());
    } catch (Throwable failure) {
      // A foreign call may throw anything, and a probe must answer.
      return new Missing(file + " does not work: " + failure);
    }
  }

  /// {@return the number of threads that the environment's `text` asks for; 1 where it is not set}
  ///
  /// @throws IllegalArgumentException when it is no whole number in [1, 9999]
  static int threads(@Nullable String text) {
    if (text == null || text.isBlank()) {
      return 1;
    }
    if (!text.strip().matches("\\d{1,4}") || Integer.parseInt(text.strip()) < 1) {
      throw new IllegalArgumentException(
          THREADS_VARIABLE + " must be a whole number in [1, 9999] but is " + text);
    }
    return Integer.parseInt(text.strip());
  }

  @SuppressWarnings("restricted") // as the C library documents it
  private static void setUnlessSet(String name, String value) throws Throwable {
    if (System.getenv(name) != null) {
      return;
    }
    Linker linker = Linker.nativeLinker();
    MethodHandle setenv =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setenv"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      int status = (int) setenv.invoke(arena.allocateFrom(name), arena.allocateFrom(value), 0);
      if (status != 0) {
        throw new IllegalArgumentException("the environment takes no " + name);
      }
    }
  }

  /// {@return a function of the library}
  @SuppressWarnings("restricted") // signatures as the library's source has them
  MethodHandle function(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), descriptor);
  }

  /// {@return why the last call of this thread failed}
  String error() {
    try {
      return text("et_error");
    } catch (Throwable failure) {
      return failure.toString();
    }
  }

  @SuppressWarnings("restricted") // a text of the library
  private String text(String name) throws Throwable {
    var text = (MemorySegment) function(name, FunctionDescriptor.of(ValueLayout.ADDRESS)).invoke();
    return text.reinterpret(LONGEST_MESSAGE).getString(0);
  }
}
