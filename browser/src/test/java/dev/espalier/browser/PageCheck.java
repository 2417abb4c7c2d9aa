package dev.espalier.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/// What must hold of every page that is shown.
final class PageCheck {
  private static final String AXE = axe();

  private PageCheck() {}

  /// Lets axe-core look for what keeps people out.
  static void isAccessible(Page page, String what) {
    page.evaluate(AXE);
    Object found =
        page.evaluate(
            """
            async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
                (v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target + ' ' + n.failureSummary)
                    .join(' | '))\
            """);
    assertThat((List<?>) found).as("axe-core on " + what).isEmpty();
  }

  /// Nothing stands out of the window's sides.
  static void fitsTheWidth(Page page, String what) {
    Map<?, ?> widths =
        (Map<?, ?>)
            page.evaluate(
                "({content: document.scrollingElement.scrollWidth, window: window.innerWidth})");
    assertThat(((Number) widths.get("content")).intValue())
        .as("width of " + what)
        .isLessThanOrEqualTo(((Number) widths.get("window")).intValue());
  }

  /// Collects what the page complains about: errors of its code and refused sources. Answers that
  /// are no success are left out, since some tests ask for them.
  static void listen(Page page, List<String> complaints) {
    page.onPageError(complaints::add);
    page.onConsoleMessage(message -> {
      if (message.type().equals("error") && !message.text().startsWith("Failed to load resource")) {
        complaints.add(message.text());
      }
    });
  }

  private static String axe() {
    try (InputStream in = PageCheck.class.getResourceAsStream("/axe.min.js")) {
      assertThat(in).as("axe.min.js").isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
