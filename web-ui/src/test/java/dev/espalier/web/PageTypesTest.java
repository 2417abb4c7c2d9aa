package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.proxy.ProxyExecutable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The TypeScript compiler's strict check of the modules' documented types.
final class PageTypesTest {
  private static final String TYPESCRIPT =
      "META-INF/resources/webjars/typescript/%s/lib/"
          .formatted(System.getProperty("espalier.typescript"));

  private final Map<String, String> files = new HashMap<>();

  @Test
  void modulesKeepTheirTypes() throws IOException {
    for (Path file : PageModules.files()) {
      files.put("/js/" + file.getFileName(), Files.readString(file));
    }
    try (PageModules modules = new PageModules()) {
      modules.script(library("typescript.js"));
      Value check = modules.script(text("/type-check.js"));
      String[] roots = files.keySet().stream().sorted().toArray(String[]::new);
      ProxyExecutable read = arguments -> file(arguments[0].asString());
      String problems = check.execute(String.join(" ", roots), read).asString();
      assertThat(problems).isEmpty();
    }
  }

  private @Nullable String file(String path) {
    return path.startsWith("/lib/") ? library(path.substring(5)) : files.get(path);
  }

  private static String library(String name) {
    return text("/" + TYPESCRIPT + name);
  }

  private static String text(String resource) {
    try (InputStream in = PageTypesTest.class.getResourceAsStream(resource)) {
      assertThat(in).as(resource).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
