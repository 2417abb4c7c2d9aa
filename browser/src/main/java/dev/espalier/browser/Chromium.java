package dev.espalier.browser;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The machine's own Chromium without a screen. Playwright drives it; its own browsers are not
/// downloaded.
public final class Chromium implements AutoCloseable {
  /// What to do where there is none.
  public static final String MISSING =
      "no Chromium was found: install it (Debian, Ubuntu: sudo apt-get install chromium), or set"
          + " ESPALIER_CHROMIUM to its program";

  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

  // The first two are needed without a user of its own and without a screen; the others keep the
  // browser from talking to anybody but the server.
  private static final List<String> FLAGS =
      List.of(
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--disable-dev-shm-usage");

  private final Playwright playwright;
  private final Browser browser;

  private Chromium(Playwright playwright, Browser browser) {
    this.playwright = playwright;
    this.browser = browser;
  }

  /// {@return whether this machine has one}
  public static boolean isThere() {
    return program().isPresent();
  }

  /// {@return the browser's program: the one that `ESPALIER_CHROMIUM` names, else one on the path}
  public static Optional<Path> program() {
    String named = System.getenv("ESPALIER_CHROMIUM");
    Stream<Path> candidates =
        named != null && !named.isEmpty()
            ? Stream.of(Path.of(named))
            : Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)));
    return candidates.filter(Files::isExecutable).findFirst();
  }

  /// Starts a browser with a profile of its own.
  ///
  /// @throws IllegalStateException when there is none, saying what to install
  public static Chromium launch() {
    Path program = program().orElseThrow(() -> new IllegalStateException(MISSING));
    var playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    try {
      Browser browser =
          playwright
              .chromium()
              .launch(
                  new BrowserType.LaunchOptions()
                      .setExecutablePath(program)
                      .setHeadless(true)
                      .setArgs(FLAGS));
      return new Chromium(playwright, browser);
    } catch (RuntimeException e) {
      playwright.close();
      throw e;
    }
  }

  /// {@return the browser's version}
  public String version() {
    return browser.version();
  }

  /// Opens a window without cookies or cache.
  ///
  /// @param width in CSS pixels
  /// @param height the same
  public Page open(int width, int height, ColorScheme scheme) {
    BrowserContext context =
        browser.newContext(
            new Browser.NewContextOptions()
                .setViewportSize(width, height)
                .setColorScheme(scheme)
                .setLocale("en-GB")
                .setTimezoneId("Europe/Paris")
                .setAcceptDownloads(true));
    return context.newPage();
  }

  @Override
  public void close() {
    browser.close();
    playwright.close();
  }
}
