package dev.espalier.browser;

import com.microsoft.playwright.CDPSession;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import dev.espalier.api.model.JobState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// Measures the dashboard on this machine: `./espalier bench dashboard`.
///
/// A whole server, a generated job of a thousand branches and a million points, ten thousand jobs
/// in the list, and Chromium without a screen.
public final class DashboardBenchmark {
  private static final int LOADS = 7;
  private static final int STREAM_SECONDS = 30;
  private static final int STREAM_CLOCKS = 50;
  private static final int STREAM_MILLIS = 100;
  private static final int HOUR_EVENTS = 36_000;
  private static final int HOUR_BATCH = 40;
  private static final int JOBS = 10_000;
  private static final int REQUESTS = 400;
  private static final GeneratedJobs.Size SIZE = GeneratedJobs.Size.LARGE;

  // Tells when the mainline is on the screen: set before any script of the page runs.
  private static final String WATCH_PAINT =
      """
      new MutationObserver((_, self) => {
        if (document.querySelector('.mainline')) {
          self.disconnect();
          requestAnimationFrame(() => setTimeout(() => (window.paintedAt = performance.now())));
        }
      }).observe(document, {childList: true, subtree: true});\
      """;

  // The time between frames, and what held the page's thread for long.
  private static final String WATCH_FRAMES =
      """
      () => {
        window.frames_ = [];
        window.tasks_ = [];
        let last = performance.now();
        const next = (now) => {
          window.frames_.push(now - last);
          last = now;
          requestAnimationFrame(next);
        };
        requestAnimationFrame(next);
        new PerformanceObserver((list) => list.getEntries().forEach((e) => tasks_.push(e.duration)))
            .observe({entryTypes: ['longtask']});
      }\
      """;

  private static final String USAGE =
      """
      Usage: espalier bench dashboard [--screenshots] [--quick] [--markdown FILE]
      Measures the dashboard in Chromium with a job of 1,000 branches and 1,000,000 points and a
      list of 10,000 jobs.
        --screenshots    makes the pictures of docs/img instead
        --quick          a tenth of the stream, for a first look
        --markdown FILE  puts the figures into FILE, between the two lines that are meant for them\
      """;

  private static final String BEGIN = "<!-- bench dashboard: begin -->\n";
  private static final String END = "<!-- bench dashboard: end -->";
  private static final List<String> SAID = new ArrayList<>();

  private DashboardBenchmark() {}

  private static Optional<Path> takeFile(List<String> given) {
    int place = given.indexOf("--markdown");
    if (place < 0 || place + 1 >= given.size()) {
      return Optional.empty();
    }
    Path file = Path.of(given.get(place + 1));
    given.subList(place, place + 2).clear();
    return Optional.of(file);
  }

  private static void putInto(Path file) throws IOException {
    String text = Files.readString(file);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(file + " has no lines " + BEGIN.strip() + " and " + END);
    }
    String figures = "```\n" + String.join("\n", SAID).strip() + "\n```\n";
    Files.writeString(
        file, text.substring(0, begin + BEGIN.length()) + figures + text.substring(end));
  }

  /// Runs all measurements, or makes pictures with `--screenshots`.
  public static void main(String[] arguments) throws IOException, InterruptedException {
    var given = new ArrayList<>(List.of(arguments));
    Optional<Path> markdown = takeFile(given);
    if (given.contains("--help") || !List.of("--screenshots", "--quick").containsAll(given)) {
      System.out.println(USAGE);
      System.exit(given.contains("--help") ? 0 : 2);
    }
    if (!Chromium.isThere()) {
      System.err.println("espalier: " + Chromium.MISSING);
      System.exit(69);
    }
    try (LocalServer server = LocalServer.start();
        Chromium chromium = Chromium.launch()) {
      if (given.contains("--screenshots")) {
        Path folder = Path.of(System.getProperty("espalier.home.dist", "."), "docs", "img");
        new Screenshots(server, chromium, folder).make();
      } else {
        new Measurements(server, chromium, given.contains("--quick") ? 10 : 1).all();
        if (markdown.isPresent()) {
          putInto(markdown.get());
        }
      }
    }
  }

  /// The measurements, one after the other.
  private static final class Measurements {
    private final LocalServer server;
    private final Chromium chromium;
    private final int shorter;
    private final GeneratedJobs jobs;

    Measurements(LocalServer server, Chromium chromium, int shorter) {
      this.server = server;
      this.chromium = chromium;
      this.shorter = shorter;
      this.jobs = new GeneratedJobs(server);
    }

    void all() throws InterruptedException {
      say(
          "Chromium %s, Java %s, %d processors",
          chromium.version(), Runtime.version(), Runtime.getRuntime().availableProcessors());
      long start = System.nanoTime();
      String job = jobs.write("large", SIZE, JobState.TRAINING);
      say(
          "generated %,d branches and %,d points in %.1f s",
          SIZE.rounds() * SIZE.trials() + 1, SIZE.points(), (System.nanoTime() - start) / 1e9);
      requests(job);
      paint(job);
      stream(job);
      list(job);
    }

    /// What the page asks for first, and how much of it goes over the wire.
    private void requests(String job) {
      row("request", "p50 ms", "p95 ms", "kB");
      for (String path :
          List.of(
              "/overview?points=800",
              "/mainline?points=800",
              "/branches/1000/metrics?points=300",
              "/series?branches=1,2,3,4,5,6,7,8,9,10&points=32",
              "/decisions?newest=true&pageSize=200")) {
        List<Double> millis = new ArrayList<>();
        int bytes = 0;
        for (int i = 0; i < 30; i++) {
          long begin = System.nanoTime();
          bytes = server.send(server.request("/jobs/" + job + path)).body().length();
          millis.add((System.nanoTime() - begin) / 1e6);
        }
        row(
            path.replaceFirst("\\?.*", ""),
            figure(quantile(millis, 0.5)),
            figure(quantile(millis, 0.95)),
            figure(bytes / 1000.0));
      }
    }

    /// From the navigation to the frame that shows the mainline.
    private void paint(String job) {
      List<Double> cold = new ArrayList<>();
      List<Double> warm = new ArrayList<>();
      int points = 0;
      for (int i = 0; i < LOADS; i++) {
        Page page = chromium.open(1280, 900, ColorScheme.LIGHT);
        page.addInitScript(WATCH_PAINT);
        page.navigate(server.address() + "/robots.txt");
        server.signIn(page);
        cold.add(painted(page, job));
        page.navigate(server.address() + "/robots.txt");
        warm.add(painted(page, job));
        points =
            ((Number)
                    page.evaluate(
                        "document.querySelector('.mainline').getAttribute('d').split('L').length"))
                .intValue();
        page.context().close();
      }
      say("");
      row("first useful paint", "median ms", "worst ms", "");
      row("empty cache", figure(quantile(cold, 0.5)), figure(quantile(cold, 1)), "");
      row("files in the cache", figure(quantile(warm, 0.5)), figure(quantile(warm, 1)), "");
      say("points drawn of the mainline: %d", points);
    }

    private double painted(Page page, String job) {
      page.navigate(server.address() + "/#/jobs/" + job);
      // A function, not an expression: the page allows nobody to evaluate text.
      page.waitForFunction("() => window.paintedAt > 0");
      return ((Number) page.evaluate("window.paintedAt")).doubleValue();
    }

    /// Frames while the job trains on, then an hour's events as fast as the page takes them.
    private void stream(String job) throws InterruptedException {
      Page page = chromium.open(1280, 900, ColorScheme.LIGHT);
      server.show(page, "/jobs/" + job);
      page.waitForSelector(".mainline");
      page.waitForTimeout(1500);
      CDPSession devtools = page.context().newCDPSession(page);
      page.evaluate(WATCH_FRAMES);
      int events = STREAM_SECONDS * 1000 / STREAM_MILLIS / shorter;
      for (int i = 0; i < events; i++) {
        jobs.runOn(job, SIZE, STREAM_CLOCKS);
        page.waitForTimeout(STREAM_MILLIS);
      }
      List<Double> frames = numbers(page.evaluate("frames_.slice(2)"));
      List<Double> tasks = numbers(page.evaluate("tasks_"));
      long late = frames.stream().filter(millis -> millis > 100).count();
      say("");
      say(
          "streaming %d windows/s of %d clocks for %d s: %d frames, median %.1f ms, p99 %.1f ms,"
              + " worst %.1f ms, over 100 ms: %d; longest task %.0f ms",
          1000 / STREAM_MILLIS,
          STREAM_CLOCKS,
          events * STREAM_MILLIS / 1000,
          frames.size(),
          quantile(frames, 0.5),
          quantile(frames, 0.99),
          quantile(frames, 1),
          late,
          tasks.isEmpty() ? 0 : quantile(tasks, 1));

      List<String> heaps = new ArrayList<>();
      heaps.add(megabytes(devtools));
      long begin = System.nanoTime();
      int total = HOUR_EVENTS / shorter;
      for (int quarter = 0; quarter < 4; quarter++) {
        for (int i = 0; i < total / 4; i += HOUR_BATCH) {
          for (int j = 0; j < HOUR_BATCH; j++) {
            jobs.runOn(job, SIZE, 5);
          }
          page.waitForTimeout(1);
        }
        page.waitForTimeout(1500);
        heaps.add(megabytes(devtools));
      }
      say(
          "%,d windows (an hour at 10/s) in %.0f s: heap of the page %s MB",
          total, (System.nanoTime() - begin) / 1e9, String.join(" → ", heaps));
      page.context().close();
    }

    private static String megabytes(CDPSession devtools) {
      devtools.send("HeapProfiler.collectGarbage");
      double bytes = devtools.send("Runtime.getHeapUsage").get("usedSize").getAsDouble();
      return String.format(Locale.ROOT, "%.1f", bytes / 1e6);
    }

    /// Pages of a long list, by their place, state and name.
    private void list(String job) {
      jobs.copy(job, JOBS);
      var random = new SplittableRandom(7);
      List<Double> pages = new ArrayList<>();
      List<Double> filtered = new ArrayList<>();
      String token = "";
      for (int i = 0; i < REQUESTS / 2; i++) {
        String answer = timed("/jobs?pageSize=50" + token, pages);
        String next = answer.replaceFirst("(?s).*\"nextPageToken\":\"?([^\"}]*)\"?\\}$", "$1");
        token = next.equals("null") ? "" : "&pageToken=" + next;
      }
      for (int i = 0; i < REQUESTS / 4; i++) {
        timed("/jobs?pageSize=50&state=FAILED", filtered);
        timed("/jobs?pageSize=50&name=sweep%20" + random.nextInt(JOBS), filtered);
      }
      Page page = chromium.open(1280, 900, ColorScheme.LIGHT);
      server.signIn(page);
      long begin = System.nanoTime();
      page.navigate(server.address() + "/#/");
      page.waitForSelector(".jobs tbody tr:nth-child(50)");
      double shown = (System.nanoTime() - begin) / 1e6;
      page.context().close();
      say("");
      row("list of 10,001 jobs", "p50 ms", "p95 ms", "");
      row("page by page", figure(quantile(pages, 0.5)), figure(quantile(pages, 0.95)), "");
      row(
          "by state or name",
          figure(quantile(filtered, 0.5)),
          figure(quantile(filtered, 0.95)),
          "");
      say("the list is on the screen after %.0f ms", shown);
    }

    private String timed(String path, List<Double> millis) {
      long begin = System.nanoTime();
      String body = server.send(server.request(path)).body();
      millis.add((System.nanoTime() - begin) / 1e6);
      return body;
    }
  }

  private static List<Double> numbers(@Nullable Object list) {
    List<Double> all = new ArrayList<>();
    if (list instanceof List<?> values) {
      values.forEach(value -> all.add(((Number) value).doubleValue()));
    }
    return all;
  }

  private static double quantile(List<Double> values, double share) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.get((int) Math.min(sorted.size() - 1L, Math.floor(share * sorted.size())));
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static void row(String... cells) {
    say("%-28s %12s %12s %10s", (Object[]) cells);
  }

  private static void say(String text, Object... values) {
    String line = String.format(Locale.ROOT, text, values).stripTrailing();
    SAID.add(line);
    System.out.println(line);
  }
}
