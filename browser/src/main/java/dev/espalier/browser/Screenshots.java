package dev.espalier.browser;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ScreenshotAnimations;
import dev.espalier.api.model.JobState;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;

/// Makes a picture of each page and state: `./espalier bench dashboard --screenshots`.
final class Screenshots {
  private static final int WIDTH = 1280;
  private static final int HEIGHT = 900;
  private static final String SEARCHED =
      """
      {"name": "image-classifier, searched", "program": "mlp", "workers": 2, "seed": 42,
       "tunables": {"learningRate": {"type": "log", "min": 0.0001, "max": 0.3, "default": 0.01},
                    "momentum": {"type": "linear", "min": 0, "max": 0.95, "default": 0.9},
                    "batchSize": {"type": "choice", "values": [32, 64, 128, 256], "default": 64}},
       "time": {"model": {"perClockSeconds": 0.0002, "perSampleSeconds": 7e-6}},
       "tuning": {"policy": "mltuner", "maxTrials": 12, "stop": {"best": 4, "within": 0.15},
                  "retune": {"plateauEpochs": 2, "max": 2}, "converge": {"plateauEpochs": 4}},
       "stop": {"maxEpochs": 16}}\
      """;

  private static final String RACED =
      """
      {"name": "image-classifier", "program": "mlp", "workers": 2, "seed": 42,
       "tunables": {"learningRate": {"type": "log", "min": 0.0001, "max": 0.3, "default": 0.01},
                    "momentum": {"type": "linear", "min": 0, "max": 0.95, "default": 0.9},
                    "batchSize": {"type": "choice", "values": [32, 64, 128, 256], "default": 64}},
       "time": {"model": {"perClockSeconds": 0.0002, "perSampleSeconds": 7e-6}},
       "tuning": {"policy": "racing"}, "stop": {"maxEpochs": 16}}\
      """;

  private static final int TRIALS_MEASURED = 8;
  private static final Set<String> UNMEASURED = Set.of("FORKING", "WAITING", "RUNNING");

  /// Its first round lasts for as long as it takes to hold it in the middle.
  private static final String IN_A_ROUND =
      """
      {"name": "in its first round", "program": "mlp", "workers": 2, "seed": 42,
       "tunables": {"learningRate": {"type": "log", "min": 0.001, "max": 0.5},
                    "momentum": {"type": "linear", "min": 0, "max": 0.95}},
       "time": {"model": {"perClockSeconds": 0.0002, "perSampleSeconds": 7e-6}},
       "tuning": {"maxTrials": 12, "probeClocks": 200, "stop": {"best": 12, "within": 0.0001}},
       "stop": {"maxEpochs": 100000, "maxTime": "10h"}}\
      """;

  // Lets a picture be taken of a page whose link is lost.
  private static final String KEEP_LINK =
      """
      window.EventSource = class extends EventSource {
        constructor(address) {
          super(address);
          window.link_ = this;
        }
      };\
      """;

  private static final Route.FulfillOptions DENIED =
      new Route.FulfillOptions()
          .setStatus(403)
          .setContentType("application/problem+json")
          .setBody("{\"status\": 403}");

  private final LocalServer server;
  private final Chromium chromium;
  private final Path folder;
  private final GeneratedJobs jobs;

  Screenshots(LocalServer server, Chromium chromium, Path folder) {
    this.server = server;
    this.chromium = chromium;
    this.folder = folder;
    this.jobs = new GeneratedJobs(server);
  }

  void make() throws IOException {
    Files.createDirectories(folder);
    picture("first-run", "/", ColorScheme.LIGHT, page -> {});
    String job = server.post("/jobs", RACED).path("id").asString();
    String searched = server.post("/jobs", SEARCHED).path("id").asString();
    awaitEnd(job);
    awaitEnd(searched);
    String large =
        jobs.write("thousand-branches", GeneratedJobs.Size.MANY_BRANCHES, JobState.TRAINING);
    String paused = jobs.write("paused-overnight", GeneratedJobs.Size.SMALL, JobState.PAUSED);
    String failed =
        jobs.fail("broken-labels", "The file train.gz, line 3: the label 7 is not below 5");
    int winner = server.get("/jobs/" + job).path("mainlineBranch").asInt();
    int found = server.get("/jobs/" + searched).path("mainlineBranch").asInt();

    whole("job-light", "/jobs/" + job, ColorScheme.LIGHT);
    whole("job-dark", "/jobs/" + job, ColorScheme.DARK);
    whole("job-searched", "/jobs/" + searched, ColorScheme.LIGHT);
    tall("job-large", "/jobs/" + large);
    picture("job-branch", "/jobs/" + job + "?branch=" + winner, ColorScheme.LIGHT, page -> {});
    picture("job-why", "/jobs/" + job, ColorScheme.LIGHT, Screenshots::openWhy);
    whole("job-compare", "/jobs/" + searched + "/compare?compare=3,5," + found, ColorScheme.LIGHT);
    picture("job-settings", "/jobs/" + searched, ColorScheme.LIGHT, Screenshots::brush);
    whole("jobs-compare", "/compare?jobs=" + job + "," + searched, ColorScheme.LIGHT);
    picture("job-snapshots", "/jobs/" + paused + "/snapshots", ColorScheme.LIGHT, page -> {});
    picture("job-config", "/jobs/" + job + "/config", ColorScheme.LIGHT, page -> {});
    picture("job-logs", "/jobs/" + job + "/logs", ColorScheme.DARK, page -> {});
    picture("job-api", "/jobs/" + job + "/api", ColorScheme.LIGHT, page -> {});
    picture("job-paused", "/jobs/" + paused, ColorScheme.LIGHT, page -> {});
    String partial = heldInARound();
    picture("job-partial", "/jobs/" + partial, ColorScheme.LIGHT, Screenshots::showRound);
    server.post("/jobs/" + partial + "/kill", "");
    picture("job-failed", "/jobs/" + failed, ColorScheme.LIGHT, page -> {});
    picture(
        "job-try",
        "/jobs/" + large,
        ColorScheme.LIGHT,
        page -> {
          page.getByText("Try a setting…").click();
          page.waitForSelector(".try-form");
        });
    picture("job-stale", "/jobs/" + large, ColorScheme.LIGHT, Screenshots::loseLink);
    picture(
        "job-loading",
        "/jobs/" + job,
        ColorScheme.LIGHT,
        page -> {
          // Never answered.
          page.route("**/overview*", route -> {});
          page.reload();
        });
    picture("jobs", "/", ColorScheme.LIGHT, page -> {});
    picture("settings", "/settings", ColorScheme.LIGHT, page -> {});
    picture("keys", "/jobs/" + job, ColorScheme.DARK, page -> page.keyboard().press("?"));
    picture("no-such-job", "/jobs/job_nobody", ColorScheme.LIGHT, page -> {});
    picture(
        "denied",
        "/",
        ColorScheme.LIGHT,
        page -> {
          page.route("**/api/v1/**", route -> route.fulfill(DENIED));
          page.reload();
        });
    picture(
        "signed-out",
        "/",
        ColorScheme.LIGHT,
        page -> {
          page.context().clearCookies();
          page.reload();
        });
    phone("phone-job", "/jobs/" + job);
    phone("phone-jobs", "/");
  }

  private void awaitEnd(String job) {
    for (int i = 0; i < 3000; i++) {
      String state = server.get("/jobs/" + job).path("state").asString();
      if (JobState.valueOf(state).isTerminal()) {
        return;
      }
      pause();
    }
    throw new IllegalStateException("a job of the pictures did not end in ten minutes");
  }

  /// A job that is held while some branches of its round are measured, and others not yet.
  private String heldInARound() {
    String job = server.post("/jobs", IN_A_ROUND).path("id").asString();
    for (int i = 0; measured(job) < TRIALS_MEASURED; i++) {
      if (i == 3000) {
        throw new IllegalStateException("a round of the pictures did not go on in ten minutes");
      }
      pause();
    }
    server.post("/jobs/" + job + "/pause", "");
    pause();
    return job;
  }

  private long measured(String job) {
    return StreamSupport.stream(
            server.get("/jobs/" + job + "/tree").path("branches").spliterator(), false)
        .filter(branch -> branch.path("kind").asString().equals("TRIAL"))
        .filter(branch -> !UNMEASURED.contains(branch.path("state").asString()))
        .count();
  }

  private static void showRound(Page page) {
    page.locator(".rounds").scrollIntoViewIfNeeded();
    page.locator(".rounds").evaluate("panel => panel.scrollIntoView({block: 'start'})");
  }

  private static void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /// Cuts the live link and lets no new one come.
  private static void loseLink(Page page) {
    page.route("**/events?*", Route::abort);
    page.evaluate("link_.close(); link_.onerror(new Event('error'))");
    page.waitForTimeout(9000);
  }

  /// What is far down a page is drawn when it comes near.
  private static void scrollThrough(Page page) {
    int height = ((Number) page.evaluate("document.body.scrollHeight")).intValue();
    for (int y = 0; y < height; y += HEIGHT / 2) {
      page.evaluate("y => window.scrollTo(0, y)", y);
      page.waitForTimeout(300);
    }
    page.evaluate("window.scrollTo(0, 0)");
  }

  private static void brush(Page page) {
    page.locator(".parallel").scrollIntoViewIfNeeded();
    Locator speed =
        page.getByRole(
            AriaRole.SLIDER, new Page.GetByRoleOptions().setName("Brush on Speed, loss/s"));
    speed.press("ArrowUp");
    speed.blur();
    page.locator(".round > summary").last().click();
    page.locator(".parallel").evaluate("panel => panel.scrollIntoView({block: 'start'})");
  }

  private static void openWhy(Page page) {
    Locator why = page.locator(".why summary").nth(1);
    why.click();
    page.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("Branches"))
        .scrollIntoViewIfNeeded();
    why.scrollIntoViewIfNeeded();
  }

  private void whole(String name, String place, ColorScheme scheme) throws IOException {
    Page page = open(WIDTH, HEIGHT, place, scheme);
    scrollThrough(page);
    save(name, page.screenshot(options().setFullPage(true)));
    page.context().close();
  }

  /// A page that is too long to be shown whole.
  private void tall(String name, String place) throws IOException {
    Page page = open(WIDTH, 2 * HEIGHT, place, ColorScheme.LIGHT);
    save(name, page.screenshot(options()));
    page.context().close();
  }

  private void picture(String name, String place, ColorScheme scheme, Act act) throws IOException {
    Page page = open(WIDTH, HEIGHT, place, scheme);
    act.on(page);
    page.waitForTimeout(700);
    save(name, page.screenshot(options()));
    page.context().close();
  }

  private void phone(String name, String place) throws IOException {
    Page page = open(390, 844, place, ColorScheme.LIGHT);
    scrollThrough(page);
    save(name, page.screenshot(options().setFullPage(true)));
    page.context().close();
  }

  private Page open(int width, int height, String place, ColorScheme scheme) {
    Page page = chromium.open(width, height, scheme);
    page.addInitScript(KEEP_LINK);
    server.show(page, place);
    page.waitForTimeout(1500);
    return page;
  }

  private static Page.ScreenshotOptions options() {
    return new Page.ScreenshotOptions().setAnimations(ScreenshotAnimations.DISABLED);
  }

  private interface Act {
    void on(Page page);
  }

  /// Saves a picture with a palette: drawings have few colours, and so take a quarter of the bytes.
  private void save(String name, byte[] png) throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    Path file = folder.resolve(name + ".png");
    if (!ImageIO.write(withPalette(image), "png", file.toFile())) {
      throw new UncheckedIOException(new IOException("no writer for PNG"));
    }
    System.out.printf("%s %d kB%n", file, Files.size(file) / 1000);
  }

  /// At most 256 colours: of each shade of four bits a channel the most frequent one, so that rare
  /// hues stay, then the most frequent of the others. What is left takes the nearest of them.
  private static BufferedImage withPalette(BufferedImage image) {
    var counts = new HashMap<Integer, Integer>();
    int[] pixels =
        image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    for (int pixel : pixels) {
      counts.merge(pixel | 0xff000000, 1, Integer::sum);
    }
    int[] byFrequency =
        counts.entrySet().stream()
            .sorted(Map.Entry.<Integer, Integer>comparingByValue().reversed())
            .mapToInt(Map.Entry::getKey)
            .toArray();
    var shades = new HashSet<Integer>();
    int[] firsts = Arrays.stream(byFrequency).filter(c -> shades.add(c & 0xf0f0f0)).toArray();
    int[] palette =
        IntStream.concat(Arrays.stream(firsts), Arrays.stream(byFrequency))
            .distinct()
            .limit(256)
            .toArray();
    var model = new IndexColorModel(8, palette.length, palette, 0, false, -1, 0);
    var reduced =
        new BufferedImage(
            image.getWidth(), image.getHeight(), BufferedImage.TYPE_BYTE_INDEXED, model);
    var nearest = new HashMap<Integer, Integer>();
    int[] indices = new int[pixels.length];
    Arrays.setAll(
        indices, i -> nearest.computeIfAbsent(pixels[i] | 0xff000000, c -> nearest(c, palette)));
    reduced.getRaster().setPixels(0, 0, image.getWidth(), image.getHeight(), indices);
    return reduced;
  }

  private static int nearest(int colour, int[] palette) {
    int best = 0;
    int least = Integer.MAX_VALUE;
    for (int i = 0; i < palette.length; i++) {
      int red = ((colour >> 16) & 255) - ((palette[i] >> 16) & 255);
      int green = ((colour >> 8) & 255) - ((palette[i] >> 8) & 255);
      int blue = (colour & 255) - (palette[i] & 255);
      int distance = 3 * red * red + 4 * green * green + 2 * blue * blue;
      if (distance < least) {
        least = distance;
        best = i;
      }
    }
    return best;
  }
}
