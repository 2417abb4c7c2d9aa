package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.Test;

/// The files that the page saves.
final class ExportTest {
  @Test
  void savedTablesAreQuotedAndRunNothing() {
    try (PageModules modules = new PageModules()) {
      Value rows =
          modules.json(
              """
              [{"name": "a, \\"b\\"", "loss": 1.5}, {"name": "=HYPERLINK(1)", "loss": null}]\
              """);
      assertThat(modules.load("export.js").invokeMember("csvText", rows).asString())
          .isEqualTo("name,loss\r\n\"a, \"\"b\"\"\",1.5\r\n'=HYPERLINK(1),\r\n");
    }
  }
}
