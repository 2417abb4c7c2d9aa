package dev.espalier.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.IOAccess;

/// The page's JavaScript, loaded without a browser.
final class PageModules implements AutoCloseable {
  static final Path RESOURCES = Path.of("src/main/resources/META-INF/resources").toAbsolutePath();

  private final Context context =
      Context.newBuilder("js")
          .allowIO(IOAccess.ALL)
          .option("engine.WarnInterpreterOnly", "false")
          .option("js.esm-eval-returns-exports", "true")
          .build();

  /// {@return the exports of a module, such as `format.js`; its imports are linked too}
  Value load(String module) {
    try {
      return context.eval(
          Source.newBuilder("js", RESOURCES.resolve("js").resolve(module).toFile())
              .mimeType("application/javascript+module")
              .build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// {@return the value of a script}
  Value script(String text) {
    return context.eval("js", text);
  }

  /// Gives the modules what they need of a browser; see `browser.js`.
  ///
  /// @return the browser, to be moved by a test
  Value browser() {
    try {
      return script(Files.readString(Path.of("src/test/resources/browser.js")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// {@return the value of a JSON document}
  Value json(String text) {
    return script("JSON.parse").execute(text);
  }

  /// {@return a value as a JSON document}
  String text(Value value) {
    return script("JSON.stringify").execute(value).asString();
  }

  /// {@return the page's modules, by name}
  static List<Path> files() {
    try (Stream<Path> files = Files.list(RESOURCES.resolve("js"))) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    context.close();
  }
}
