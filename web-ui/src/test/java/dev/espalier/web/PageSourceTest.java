package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// What the page's sources may hold, so that a strict content security policy suits them.
final class PageSourceTest {
  @Test
  void nothingIsInlineOrFromElsewhere() throws IOException {
    String page = Files.readString(PageModules.RESOURCES.resolve("index.html"));
    assertThat(page)
        .doesNotContainPattern("<style|style=|\\son[a-z]+=|https?:|<script(?![^>]* src=)");
    assertThat(Files.readString(PageModules.RESOURCES.resolve("espalier.css")))
        .doesNotContain("@import", "url(");
  }

  @Test
  void modulesDoNotTurnTextIntoMarkupOrCode() throws IOException {
    for (Path file : PageModules.files()) {
      assertThat(Files.readString(file))
          .as(file.getFileName().toString())
          .doesNotContain("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write")
          .doesNotContainPattern("\\beval\\(|new Function|setAttribute\\('style'");
    }
  }

  @Test
  void everyImportIsExported() {
    try (PageModules modules = new PageModules()) {
      assertThat(modules.load("jobs-page.js").hasMember("jobsPage")).isTrue();
      assertThat(modules.load("job-page.js").hasMember("jobPage")).isTrue();
    }
  }
}
