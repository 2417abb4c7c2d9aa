package dev.espalier.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Download;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import dev.espalier.api.model.JobState;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIf;
import tools.jackson.databind.JsonNode;

/// The dashboard in Chromium, against a whole server with workers that train.
@EnabledIf(value = "dev.espalier.browser.Chromium#isThere", disabledReason = Chromium.MISSING)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class DashboardTest {
  private static final double PATIENCE_MILLIS = 30_000;

  // Trains for as long as the test needs, in rounds of short trials.
  private static final String LONG_JOB =
      """
      {"name": "%s", "program": "mlp", "workers": 1, "arguments": {"hidden": [16]},
       "tunables": {"learningRate": {"type": "log", "min": 0.001, "max": 0.5}},
       "time": {"model": {"perClockSeconds": 0.01, "perSampleSeconds": 0}},
       "tuning": {"policy": "mltuner", "maxTrials": %d, "probeClocks": 10, "stop": {"best": 1000, "within": 0.0001},
                  "retune": {"plateauEpochs": 1000, "max": 0}, "converge": {"plateauEpochs": 1001}},
       "stop": {"maxEpochs": 100000, "maxTime": "10h"}}\
      """;

  private static final String POPULATION =
      """
      {"name": "population", "program": "mlp", "workers": 1, "arguments": {"hidden": [16]},
       "tunables": {"learningRate": {"type": "log", "min": 0.001, "max": 0.5}},
       "time": {"model": {"perClockSeconds": 0.01, "perSampleSeconds": 0}},
       "tuning": {"policy": "asha", "runs": {"max": 500}}, "stop": {"maxEpochs": 9}}\
      """;

  private static final String RACE =
      """
      {"name": "race", "program": "mlp", "workers": 1, "arguments": {"hidden": [16]},
       "tunables": {"learningRate": {"type": "log", "min": 0.001, "max": 0.5}},
       "time": {"model": {"perClockSeconds": 0.01, "perSampleSeconds": 0}},
       "tuning": {"policy": "racing"}, "stop": {"maxEpochs": 100000, "maxTime": "10h"}}\
      """;

  private static LocalServer server;
  private static GeneratedJobs jobs;
  private static Chromium chromium;
  private final List<String> complaints = new ArrayList<>();
  private Page page;

  @BeforeAll
  static void start() throws IOException {
    server = LocalServer.start();
    jobs = new GeneratedJobs(server);
    chromium = Chromium.launch();
    PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE_MILLIS);
  }

  @AfterAll
  static void stop() throws IOException {
    if (chromium != null) {
      chromium.close();
    }
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  void openWindow() {
    open(1280, 900, ColorScheme.LIGHT);
  }

  private void open(int width, int height, ColorScheme scheme) {
    page = chromium.open(width, height, scheme);
    page.setDefaultTimeout(PATIENCE_MILLIS);
    PageCheck.listen(page, complaints);
  }

  @AfterEach
  void nothingIsComplainedAbout() {
    page.context().close();
    assertThat(complaints).isEmpty();
  }

  /// First of all: it needs a server without jobs.
  @Test
  @Order(1)
  void firstRunLeadsToALiveJobThatCanBeHeldAndEnded() {
    server.show(page, "/");
    assertThat(page.getByText("No jobs yet")).isVisible();
    assertThat(page.locator(".command")).hasCount(3);
    PageCheck.isAccessible(page, "first run");
    page.context().grantPermissions(List.of("clipboard-read", "clipboard-write"));
    Locator copy = page.locator(".copy").first();
    for (int again = 0; again < 2; again++) {
      copy.click();
      assertThat(copy).hasText("Copied");
      assertThat(page.locator("#said")).hasText("Copied.");
      assertThat(copy).hasText(Pattern.compile("^Copy$"));
    }
    button("Run the demo job").click();

    assertThat(page.getByRole(AriaRole.HEADING, heading("demo", 1))).isVisible();
    assertThat(page.locator(".link")).hasText("Live");
    assertThat(page.locator(".worker")).hasCount(2);
    // Drawn without a reload: a trial, its row, its verdict.
    assertThat(page.locator(".still .whisker").first()).isAttached();
    assertThat(page.locator(".branches tbody tr").first()).isVisible();
    assertThat(page.locator(".figure.is-wide .of")).not().hasText("0 s of 0 s");
    button("Pause").click();
    assertThat(page.locator(".chip")).hasText("Paused");
    assertThat(page.locator(".message")).containsText("Paused by token:first");
    button("Resume").click();
    assertThat(page.locator(".chip")).not().hasText("Paused");
    button("Cancel").click();
    button("Keep it running").click();
    assertThat(page.locator(".chip")).not().hasText("Canceled");
    button("Cancel").click();
    button("Cancel the job").click();
    assertThat(page.locator(".chip")).hasText("Canceled");
    assertThat(page.locator(".link")).hasText("Ended");
  }

  @Test
  void aPersonSteersARoundAndTheMainline() {
    String job = submit("steered", 200);
    // Held, the round stands still with its best branch and the one that runs.
    holdWithTrials(job);
    server.show(page, "/jobs/" + job);
    assertThat(page.locator(".round .outcome").first()).containsText("branches measured");

    int discarded = trial(job, "RUNNING");
    showBranch(discarded);
    assertThat(page.locator(".judged .raw-dots")).isAttached();
    // What is asked of the whole job stays within reach beside an open branch.
    button("Resume").click(new Locator.ClickOptions().setTrial(true));
    button("Discard").click();
    assertThat(page.locator(".decisions"))
        .containsText("request to discard branch #" + discarded + " is accepted");
    int kept = trial(job, "MEASURED");
    showBranch(kept);
    button("Keep").click();
    button("Keep it").click();
    assertThat(page.locator(".decisions")).containsText("token:first chose it");
    button("Close the branch").click();
    button("Resume").click();
    assertThat(page.locator(".chip")).hasText("Training");
    assertThat(page.locator(".tree-main .tree-node")).hasText(String.valueOf(kept));

    // Try a setting: what is out of bounds is not sent, what is inside races the current one.
    button("Try a setting…").click();
    page.locator("dialog").getByLabel("Learning rate").fill("7");
    button("Try it").click();
    assertThat(page.locator("dialog")).isVisible();
    page.locator("dialog").getByLabel("Learning rate").fill("0.0123");
    button("Try it").click();
    assertThat(page.locator("dialog")).hasCount(0);
    await(
        job,
        view ->
            view.path("round").asInt() == 2 && view.path("state").asString().equals("TRAINING"));
    assertThat(page.locator(".rounds")).containsText("asked for by hand");

    // Re-tune now, and end that round at once.
    button("Re-tune now").click();
    await(job, view -> view.path("round").asInt() == 3);
    holdWithTrials(job);
    server.post("/jobs/" + job + "/branches/" + trial(job, "MEASURED") + "/keep", "");
    server.post("/jobs/" + job + "/resume", "");
    await(job, view -> view.path("state").asString().equals("TRAINING"));

    // Pin a snapshot, so that no newer one takes its place, and go back to it later.
    page.getByRole(AriaRole.LINK, link("Snapshots")).click();
    assertThat(page.locator("tbody tr", row("ready")).first()).isVisible();
    button("Pause").click();
    assertThat(page.locator(".chip")).hasText("Paused");
    page.waitForTimeout(500);
    String snapshot = firstReady();
    button("Pin snapshot " + snapshot).click();
    assertThat(page.locator("tbody tr th", row("pinned"))).containsText(snapshot);
    button("Unpin snapshot " + snapshot).click();
    assertThat(page.locator("tbody tr th", row("pinned"))).hasCount(0);
    button("Pin snapshot " + snapshot).click();
    assertThat(page.locator("tbody tr th", row("pinned"))).containsText(snapshot);
    button("Resume").click();
    button("Restore snapshot " + snapshot).click();
    button("Go back").click();
    await(
        job,
        view ->
            view.path("generation").asInt() == 2
                && view.path("state").asString().equals("TRAINING"));
    page.getByRole(AriaRole.LINK, link("Overview")).click();
    assertThat(page.locator(".decisions")).containsText("Go back to snapshot " + snapshot);
    button("By people").click();
    assertThat(page.locator(".decision").first()).containsText("token:first");
    server.post("/jobs/" + job + "/kill", "");
  }

  @Test
  void aPersonSteersAPopulation() {
    String job = server.post("/jobs", POPULATION).path("id").asString();
    await(job, view -> view.path("branches").asInt() > 3);
    server.show(page, "/jobs/" + job);
    assertThat(page.locator(".rounds")).containsText("branches that live side by side");
    assertThat(page.locator(".branches thead")).containsText("Best accuracy");
    assertThat(page.locator(".branches tbody tr").first()).containsText("at epoch");
    page.locator(".parallel").scrollIntoViewIfNeeded();
    assertThat(page.getByRole(AriaRole.SLIDER, slider("Brush on Best accuracy"))).isAttached();
    button("Try a setting…").click();
    page.locator("dialog").getByLabel("Learning rate").fill("0.0123");
    button("Try it").click();
    assertThat(page.locator("dialog")).hasCount(0);
    assertThat(page.locator(".branches tbody tr", row("0.0123"))).isVisible();

    int given = -1;
    while (given < 0) {
      page.waitForTimeout(100);
      given = trial(job, "WAITING");
    }
    showBranch(given);
    button("Discard").click();
    assertThat(page.locator(".drawer-reasons")).containsText("given up as token:first asked");
    showBranch(server.get("/jobs/" + job).path("mainlineBranch").asInt());
    assertThat(page.locator(".drawer .facts")).containsText("Best accuracy");
    button("Keep").click();
    button("Keep it").click();
    assertThat(page.locator(".decisions")).containsText("token:first chose run");
    assertThat(page.locator(".message")).containsText("to epoch 9");
    page.navigate(server.address() + "/#/?name=population");
    assertThat(page.locator(".jobs .trail-cell")).isVisible();
    assertThat(page.locator(".jobs .trail-cell")).not().containsText("falls");
    server.post("/jobs/" + job + "/kill", "");
  }

  @Test
  void aPersonSteersARace() {
    String job = server.post("/jobs", RACE).path("id").asString();
    holdInARace(job);
    server.show(page, "/jobs/" + job);
    List<Integer> entrants = entrants(job);
    showBranch(entrants.getFirst());
    button("Discard").click();
    assertThat(page.locator(".decisions")).containsText("the incumbent that the others");
    showBranch(entrants.getLast());
    button("Discard").click();
    assertThat(page.locator(".drawer-reasons")).containsText("given up as token:first asked");
    button("Close the branch").click();
    int round = server.get("/jobs/" + job).path("round").asInt();
    button("Resume").click();

    await(job, view -> view.path("round").asInt() > round);
    holdInARace(job);
    int kept = entrants(job).getFirst();
    showBranch(kept);
    button("Keep").click();
    button("Keep it").click();
    button("Close the branch").click();
    button("Resume").click();
    assertThat(page.locator(".decisions")).containsText("token:first chose it");

    // A racing job keeps snapshots of its own accord: the last good one, and the best.
    assertThat(page.locator(".result")).containsText("Result so far");
    page.getByRole(AriaRole.LINK, link("Snapshots")).click();
    assertThat(page.locator("tbody tr th", row("result"))).isVisible();
    button("Pause").click();
    assertThat(page.locator(".chip")).hasText("Paused");
    String snapshot = firstReady();
    button("Restore snapshot " + snapshot).click();
    button("Go back").click();
    button("Resume").click();
    await(job, view -> view.path("generation").asInt() == 2);
    page.getByRole(AriaRole.LINK, link("Overview")).click();
    assertThat(page.locator(".decisions")).containsText("Go back to snapshot " + snapshot);
    server.post("/jobs/" + job + "/kill", "");
  }

  /// {@return the number of the newest snapshot on the disk; badges may follow it in its cell}
  private String firstReady() {
    return page.locator("tbody tr", row("ready"))
        .first()
        .locator("th")
        .innerText()
        .strip()
        .split("\\s")[0];
  }

  @Test
  void aThousandBranchesAreDrawnAndFolded() {
    String job = jobs.write("thousand", GeneratedJobs.Size.MANY_BRANCHES, JobState.TRAINING);
    server.show(page, "/jobs/" + job);
    assertThat(page.locator(".mainline")).isAttached();

    int strokes =
        ((Number)
                page.evaluate(
                    "[...document.querySelectorAll('.still .whisker')].reduce((sum, path) =>"
                        + " sum + path.getAttribute('d').split('M').length - 1, 0)"))
            .intValue();
    int nodes = ((Number) page.evaluate("document.querySelectorAll('*').length")).intValue();
    assertThat(strokes).isEqualTo(960);
    assertThat(nodes).isLessThan(4000);
    assertThat(page.locator(".sampled")).containsText("clocks in");
    assertThat(page.locator(".tree-round")).hasCount(40);
    assertThat(page.locator("details.round")).hasCount(20);
    button("Show 20 earlier rounds").click();
    assertThat(page.locator("details.round")).hasCount(40);
    page.locator(".parallel").scrollIntoViewIfNeeded();
    Locator speeds = page.getByRole(AriaRole.SLIDER, slider("Brush on Speed, loss/s"));
    speeds.press("ArrowUp");
    assertThat(page.locator(".parallel [role=status]")).containsText("of 1,000 branches");
    assertThat(page.locator(".brushed").first()).containsText("branches in the brush");
    speeds.press("Shift+ArrowDown");
    assertThat(speeds).hasAttribute("aria-valuetext", Pattern.compile("from .* to .*"));
    button("Show all").click();
    assertThat(page.locator(".brushed")).hasCount(0);
    button("Show 192 more").click();
    button("Get earlier ones").click();
    assertThat(page.locator(".decision")).hasCount(1000);
    page.getByText("The drawing as tables").click();
    assertThat(page.locator(".twin-tables table")).hasCount(3);
    button("Epoch").click();
    assertThat(page.locator(".plot .axis-title")).hasText("epoch");
    assertThat(page.locator(".still .mainline")).isAttached();
  }

  @Test
  void everyStateSaysWhatIsSoAndWhatToDo() {
    String failed = jobs.fail("broken", "train.gz line 3: 7 is no label");
    server.show(page, "/jobs/" + failed);
    assertThat(page.locator(".message.is-bad")).containsText("train.gz line 3");
    assertThat(page.locator(".plot-empty")).containsText("ended before its first clock");
    assertThat(page.locator(".rounds .empty")).isVisible();
    assertThat(page.locator(".decisions .empty")).isVisible();

    button("Run it again").click();
    assertThat(page).not().hasURL(Pattern.compile(failed));
    assertThat(page.getByRole(AriaRole.HEADING, heading("broken", 1))).isVisible();
    server.post("/jobs/" + page.url().replaceFirst(".*/", "") + "/kill", "");

    page.navigate(server.address() + "/#/jobs/job_nobody");
    assertThat(page.getByText("No such job")).isVisible();
    page.navigate(server.address() + "/#/jobs/%");
    assertThat(page.getByRole(AriaRole.HEADING, heading("No such page", 1))).isVisible();
    page.getByRole(AriaRole.LINK, link("All jobs")).click();
    assertThat(page.getByRole(AriaRole.HEADING, heading("Jobs", 1))).isVisible();
    page.navigate(server.address() + "/#/?state=paused&name=nobody");
    assertThat(page.getByText("No job is like that.")).isVisible();
    assertThat(page.getByLabel("Name holds")).hasValue("nobody");
    page.getByRole(AriaRole.LINK, link("Show all jobs")).click();
    assertThat(page.getByLabel("Name holds")).hasValue("");
    page.navigate(server.address() + "/#/jobs/" + failed + "/config?branch=9999");
    assertThat(page.locator(".drawer")).containsText("no such branch");
    assertThat(page.locator(".document .line").first()).isVisible();

    // Too much at once is no refusal: what was known stays, and is asked for again.
    page.navigate(server.address() + "/#/");
    assertThat(page.locator(".jobs tbody tr").first()).isVisible();
    page.route("**/api/v1/**", route -> route.fulfill(overburdened()));
    assertThat(page.locator(".banner.is-stale")).containsText("Trying again");
    assertThat(page.locator(".jobs tbody tr").first()).isVisible();
    page.navigate(server.address() + "/#/jobs/" + failed);
    assertThat(page.getByText("The server cannot answer now")).isVisible();
    page.unroute("**/api/v1/**");
    assertThat(page.locator(".message.is-bad")).isVisible();
    page.navigate(server.address() + "/#/");
    assertThat(page.locator(".jobs tbody tr").first()).isVisible();

    // On its way: shapes in its place.
    page.route(
        "**/overview*",
        route -> {
          page.waitForTimeout(600);
          route.resume();
        });
    page.navigate(server.address() + "/#/jobs/" + failed);
    assertThat(page.locator(".skeleton")).isVisible();
    assertThat(page.locator(".message.is-bad")).isVisible();
    page.unroute("**/overview*");

    // Nobody answers.
    page.route("**/api/v1/**", route -> route.abort());
    page.navigate(server.address() + "/#/settings");
    assertThat(page.getByText("The server does not answer")).isVisible();
    page.unroute("**/api/v1/**");

    page.context().clearCookies();
    page.navigate(server.address() + "/#/jobs/" + failed);
    page.reload();
    assertThat(page.getByRole(AriaRole.HEADING, heading("Sign in", 1))).isVisible();
    PageCheck.isAccessible(page, "signed out");
  }

  /// In the dark and on a phone at once, which is where most goes wrong.
  @Test
  void everyStateFitsAPhoneAtNight() {
    page.context().close();
    open(390, 844, ColorScheme.DARK);
    server.signIn(page);
    String path = "/srv/espalier/data/" + "customers-and-their-orders/".repeat(3) + "train.csv";
    String failed = jobs.fail("broken at night", path + " cannot be read");
    isShown("/jobs/" + failed, ".message.is-bad", "cannot be read", "failed and empty");
    isShown("/?name=broken at night", ".state-cell", "cannot be read", "list of failures");
    String paused = jobs.write("held at night", GeneratedJobs.Size.SMALL, JobState.PAUSED);
    isShown("/jobs/" + paused, ".chip", "Paused", "paused");
    page.route("**/events?*", route -> route.abort());
    page.reload();
    isShown("/jobs/" + paused, ".banner.is-stale", "trying again", "stale");
    page.unroute("**/events?*");
    String large =
        jobs.write("large at night", GeneratedJobs.Size.MANY_BRANCHES, JobState.TRAINING);
    page.navigate(server.address() + "/#/jobs/" + large);
    assertThat(page.locator(".sampled")).containsText("clocks in");
    PageCheck.fitsTheWidth(page, "too much");
    isShown("/jobs/job_nobody", "h1", "No such job", "not there");
    isShown("/?name=nobody", ".none", "No job is like that.", "nothing found");
    isShown("/compare?jobs=" + paused + "," + large, "h1", "Jobs side by side", "two jobs");
    String andOneThatIsGone = "/compare?jobs=" + paused + "," + large + ",job_nobody";
    isShown(andOneThatIsGone, ".page-head .muted", "job_nobody", "one of three gone");
    assertThat(page.locator("table.plain thead a")).hasCount(2);

    page.route(
        "**/api/v1/**",
        route ->
            route.fulfill(
                new Route.FulfillOptions()
                    .setStatus(403)
                    .setContentType("application/problem+json")
                    .setBody("{\"status\": 403, \"title\": \"Forbidden\"}")));
    isShown("/jobs/" + failed, "h1", "Not allowed", "denied");
    isShown("/", "h1", "Not allowed", "denied a list");
    page.unroute("**/api/v1/**");
    page.route("**/overview*", Route::abort);
    isShown("/jobs/" + paused, "h1", "The server does not answer", "no answer");
  }

  private void isShown(String place, String where, String words, String what) {
    page.navigate(server.address() + "/#" + place);
    assertThat(page.locator(where).first()).containsText(words);
    PageCheck.isAccessible(page, what);
    PageCheck.fitsTheWidth(page, what);
  }

  @Test
  void codeThatIsNotThePagesOwnDoesNotRun() {
    server.show(page, "/settings");
    assertThat(page.getByRole(AriaRole.HEADING, heading("Settings", 1))).isVisible();

    // In a frame of its own: what Playwright evaluates itself is let through.
    assertThat(
            page.evaluate(
                """
                () => new Promise((done) => requestAnimationFrame(() => {
                  const script = document.createElement('script');
                  script.textContent = 'window.foreign = 1';
                  document.body.append(script);
                  const link = document.createElement('a');
                  link.setAttribute('onclick', 'window.foreign = 1');
                  document.body.append(link);
                  link.click();
                  try {
                    done(Function('return 1')());
                  } catch (refused) {
                    done(refused.name + ' ' + window.foreign);
                  }
                }))\
                """))
        .isEqualTo("EvalError undefined");
    assertThat(complaints).isNotEmpty().allMatch(one -> one.contains("Content Security Policy"));
    complaints.clear();
  }

  @Test
  void keysAloneReachEverything() {
    String job = jobs.write("by keys", GeneratedJobs.Size.SMALL, JobState.TRAINING);
    server.show(page, "/jobs/" + job);
    // A page that is moved to has the focus in its content; one that is loaded has it nowhere.
    assertThat(page.locator("#content")).isFocused();
    page.reload();
    assertThat(page.locator(".mainline")).isAttached();

    page.keyboard().press("Tab");
    assertThat(page.locator(".skip-link")).isFocused();
    page.keyboard().press("Enter");
    assertThat(page.locator("#content")).isFocused();
    page.keyboard().press("?");
    assertThat(page.locator("dialog h2")).hasText("Keys");
    page.keyboard().press("Escape");
    assertThat(page.locator("dialog")).hasCount(0);
    page.keyboard().press("3");
    assertThat(page).hasURL(Pattern.compile("/snapshots$"));
    page.keyboard().press("1");
    page.locator(".plot").focus();
    page.keyboard().press("ArrowDown");
    assertThat(page.locator(".tip-title")).containsText("Branch 1");
    page.keyboard().press("Enter");
    assertThat(page.locator(".drawer")).isFocused();
    assertThat(page.locator(".drawer h2")).hasText("Branch 1");
    assertThat(page.locator("#said")).containsText("Branch 1");
    page.keyboard().press("Escape");
    assertThat(page.locator(".drawer")).hasCount(0);
    assertThat(page.locator(".plot")).isFocused();
    button("Cancel").press("Enter");
    button("Keep it running").press("Enter");
    assertThat(page.locator("dialog")).hasCount(0);
    assertThat(button("Cancel")).isFocused();
    page.locator(".tree-round").last().locator("button").first().focus();
    page.keyboard().press("ArrowDown");
    page.keyboard().press("ArrowDown");
    page.keyboard().press("Enter");
    assertThat(page.locator(".drawer")).isVisible();
    // It covers what the focus may have moved to.
    page.locator(".plot").focus();
    page.keyboard().press("Escape");
    assertThat(page.locator(".drawer")).isVisible();
    page.locator(".bar-link").first().focus();
    page.keyboard().press("Escape");
    assertThat(page.locator(".drawer")).hasCount(0);
    assertThat(page.locator(".bar-link").first()).isFocused();
    page.keyboard().press("g");
    page.keyboard().press("j");
    assertThat(page.getByRole(AriaRole.HEADING, heading("Jobs", 1))).isVisible();
    assertThat(page.locator("#content")).isFocused();

    page.keyboard().press("g");
    page.keyboard().press("s");
    page.getByLabel("Single keys").uncheck();
    page.locator("#content").focus();
    page.keyboard().press("?");
    assertThat(page.locator("dialog")).hasCount(0);
    page.getByLabel("Single keys").check();
    page.locator("#content").focus();
    page.keyboard().press("?");
    assertThat(page.locator("dialog h2")).hasText("Keys");
  }

  @Test
  void everyPageIsAccessibleInLightAndDarkAndFitsAPhone() {
    String job = jobs.write("looked at", GeneratedJobs.Size.SMALL, JobState.PAUSED);
    List<String> places =
        List.of(
            "/",
            "/settings",
            "/jobs/" + job,
            "/jobs/" + job + "?branch=5",
            "/jobs/" + job + "/compare?compare=1,2,3",
            "/jobs/" + job + "/snapshots",
            "/jobs/" + job + "/config",
            "/jobs/" + job + "/logs",
            "/jobs/" + job + "/api");
    page.context().close();
    for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
      open(1280, 900, scheme);
      for (String place : places) {
        settle(place);
        PageCheck.isAccessible(page, place + " in " + scheme);
      }
      page.context().close();
    }
    open(390, 844, ColorScheme.LIGHT);
    for (String place : places) {
      settle(place);
      PageCheck.fitsTheWidth(page, place + " on a phone");
    }
    page.navigate(server.address() + "/#/jobs/" + job);
    assertThat(page.locator(".mainline")).isVisible();
    assertThat(page.locator(".decisions")).isVisible();
    // What goes on beyond the edge says so, until its end is seen.
    assertThat(page.locator(".tabs")).hasAttribute("data-more", "right");
    page.locator(".parallel-plot").scrollIntoViewIfNeeded();
    assertThat(page.locator(".parallel-plot")).hasAttribute("data-more", "right");
    page.getByRole(AriaRole.LINK, link("Raw API")).scrollIntoViewIfNeeded();
    page.locator(".tabs").evaluate("(tabs) => tabs.scrollTo(9999, 0)");
    assertThat(page.locator(".tabs")).hasAttribute("data-more", "left");
  }

  @Test
  void tokensAreMadeShownOnceAndRevoked() {
    server.show(page, "/settings");
    page.getByLabel("Name of a new token").fill("visitor");
    button("Make a token").click();
    String token = page.locator("dialog .command code").first().innerText();
    assertThat(token).startsWith("esp_");
    button("Done").click();
    assertThat(page.locator("body")).not().containsText(token);

    // A browser that was signed in with the token is turned away as soon as it is revoked.
    String job = jobs.write("watched", GeneratedJobs.Size.SMALL, JobState.TRAINING);
    Page visitor = chromium.open(1000, 800, ColorScheme.LIGHT);
    visitor.navigate(server.address() + server.signInPath(token));
    visitor.navigate(server.address() + "/#/jobs/" + job);
    assertThat(visitor.locator(".link")).hasText("Live");
    button("Revoke visitor").click();
    button("Revoke it").click();
    assertThat(page.locator("tr", row("visitor"))).containsText("revoked");
    assertThat(visitor.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("Sign in")))
        .isVisible();
    visitor.context().close();

    // Nothing that a script could read holds a secret.
    assertThat(page.url()).doesNotContain("code=", "esp_");
    assertThat((String) page.evaluate("document.cookie")).isEmpty();
    assertThat((String) page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})"))
        .doesNotContain("esp_");
  }

  @Test
  void panelsAreSavedAsFiles() throws IOException {
    String job = jobs.write("saved", GeneratedJobs.Size.SMALL, JobState.COMPLETED);
    server.show(page, "/jobs/" + job);
    assertThat(page.locator(".mainline")).isAttached();

    Download table = page.waitForDownload(() -> button("CSV of the chart").click());
    Download picture = page.waitForDownload(() -> button("PNG of the chart").click());
    Download branches = page.waitForDownload(() -> button("JSON of the branches").click());
    List<Download> pictures =
        Stream.of("branches", "decisions", "tree", "settings")
            .map(panel -> page.waitForDownload(() -> button("PNG of the " + panel).click()))
            .toList();

    assertThat(Files.readString(table.path())).startsWith("fromClock,toClock,branch,");
    assertThat(Files.readAllBytes(picture.path()))
        .hasSizeGreaterThan(10_000)
        .startsWith(0x89, 'P', 'N', 'G');
    for (Download one : pictures) {
      assertThat(colours(one)).as(one.suggestedFilename()).isGreaterThan(8);
    }
    assertThat(Files.readString(branches.path())).contains("\"verdict\": \"CONVERGING\"");
  }

  @Test
  void jobsAreFilteredFoundAndHeldTogether() {
    String first = submit("pair one", 500);
    String second = submit("pair two", 500);
    jobs.fail("pair three", "no data");
    server.show(page, "/?name=pair");
    assertThat(page.locator(".jobs tbody tr")).hasCount(3);
    page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName(Pattern.compile("Failed")))
        .click();
    assertThat(page.locator(".jobs tbody tr")).hasCount(1);
    page.goBack();
    page.getByLabel("Choose pair one").check();
    page.getByLabel("Choose pair two").check();
    page.locator(".bulk").getByText("Pause").click();
    await(first, view -> view.path("state").asString().equals("PAUSED"));
    await(second, view -> view.path("state").asString().equals("PAUSED"));
    assertThat(page.locator(".chip", new Page.LocatorOptions().setHasText("Paused"))).hasCount(2);
    server.post("/jobs/" + first + "/kill", "");
    server.post("/jobs/" + second + "/kill", "");

    jobs.write("twin one", GeneratedJobs.Size.SMALL, JobState.COMPLETED);
    jobs.write("twin two", GeneratedJobs.Size.SMALL, JobState.TRAINING);
    page.navigate(server.address() + "/#/?name=twin");
    page.getByLabel("Choose twin one").check();
    page.getByLabel("Choose twin two").check();
    page.getByRole(AriaRole.LINK, link("Compare")).click();
    assertThat(page.getByRole(AriaRole.HEADING, heading("Jobs side by side", 1))).isVisible();
    assertThat(page.locator(".compare-line[clip-path]")).hasCount(2);
    button("Validation accuracy").click();
    assertThat(page.locator(".compare-line[clip-path]").first())
        .hasAttribute("d", Pattern.compile("M.*L.*"));
    assertThat(page.locator(".card-bar .muted")).containsText("tuning included");
    assertThat(page.locator(".axis-title")).hasText("time of the job");
    button("Epoch").click();
    assertThat(page.locator(".axis-title")).hasText("epoch");
    button("Training loss").click();
    assertThat(page.locator(".axis-title")).hasText("epoch");
    assertThat(page.locator("tbody tr", row("Whole time of the job"))).isVisible();
    PageCheck.isAccessible(page, "jobs side by side");

    page.setViewportSize(400, 800);
    assertThat(page.locator(".compare-lines"))
        .hasAttribute("viewBox", Pattern.compile("0 0 3\\d\\d 320"));
  }

  @Test
  void jobsThatHaveEndedAreDeleted() {
    jobs.write("gone one", GeneratedJobs.Size.SMALL, JobState.COMPLETED);
    jobs.fail("gone two", "no data");
    jobs.write("gone three", GeneratedJobs.Size.SMALL, JobState.CANCELED);
    server.show(page, "/?name=gone");
    page.getByLabel("Choose gone one").check();
    page.getByLabel("Choose gone two").check();
    page.locator(".bulk").getByText("Delete").click();
    button("Keep them").click();
    assertThat(page.locator(".jobs tbody tr")).hasCount(3);
    page.locator(".bulk").getByText("Delete").click();
    button("Delete 2 jobs").click();
    assertThat(page.locator(".jobs tbody tr")).hasCount(1);

    page.getByRole(AriaRole.LINK, link("gone three")).click();
    button("Delete").click();
    button("Delete the job").click();
    assertThat(page.getByRole(AriaRole.HEADING, heading("Jobs", 1))).isVisible();
    page.navigate(server.address() + "/#/?name=gone");
    assertThat(page.locator(".jobs tbody tr")).hasCount(0);
  }

  /// Last of all: its many jobs would push those of other tests off the first page.
  @Test
  @Order(Integer.MAX_VALUE)
  void jobsAreTurnedPageByPage() {
    for (int i = 0; i < 51; i++) {
      jobs.fail("turned " + i, "no data");
    }
    server.show(page, "/?name=turned");
    assertThat(page.locator(".jobs tbody tr")).hasCount(50);
    page.locator(".jobs tbody input").first().check();
    assertThat(page.locator(".bulk")).isVisible();
    Locator heads = page.locator(".jobs thead th[aria-sort]");
    assertThat(heads).hasText("Submitted↓");
    assertThat(page.locator(".sorted-note")).hasCount(0);
    page.locator(".jobs thead")
        .getByText("Job", new Locator.GetByTextOptions().setExact(true))
        .click();
    assertThat(heads).hasAttribute("aria-sort", "ascending");
    assertThat(page.locator(".job-name").first()).hasText("turned 1");
    assertThat(page.locator(".sorted-note")).containsText("50 jobs of this page alone");
    PageCheck.isAccessible(page, "a sorted list");
    page.locator(".jobs thead").getByText("Job").click();
    assertThat(page.locator(".job-name").first()).hasText("turned 50");
    page.setViewportSize(820, 900);
    PageCheck.fitsTheWidth(page, "a list of 820 pixels");
    assertThat(
            page.evaluate(
                "() => { const card = document.querySelector('.table-card');"
                    + " return card.scrollWidth - card.clientWidth; }"))
        .isEqualTo(0);
    page.setViewportSize(1280, 900);

    // In one moment, so that no answer can come between.
    page.evaluate(
        "() => { const older = [...document.querySelectorAll('.pager button')].at(-1);"
            + " older.click(); older.click(); }");
    assertThat(page.locator(".jobs tbody tr")).hasCount(1);
    assertThat(page.locator(".pager")).containsText("page 2");
    assertThat(page.locator(".bulk")).hasCount(0);
    button("Newer").click();
    assertThat(page.locator(".jobs tbody tr")).hasCount(50);
    assertThat(button("Newer")).isDisabled();
  }

  // Helpers.

  private static Route.FulfillOptions overburdened() {
    return new Route.FulfillOptions()
        .setStatus(503)
        .setContentType("application/problem+json")
        .setBody("{\"status\": 503, \"title\": \"Busy\"}");
  }

  /// {@return how many colours a picture has; a blank one has one}
  private static long colours(Download picture) throws IOException {
    BufferedImage image = ImageIO.read(picture.path().toFile());
    return Arrays.stream(
            image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()))
        .distinct()
        .count();
  }

  private static Page.GetByRoleOptions slider(String name) {
    return new Page.GetByRoleOptions().setName(name).setExact(true);
  }

  private void settle(String place) {
    if (page.url().equals("about:blank")) {
      server.show(page, place);
    } else {
      page.navigate(server.address() + "/#" + place);
    }
    assertThat(page.locator(".skeleton")).hasCount(0);
    assertThat(page.locator("#content h1").first()).isVisible();
    page.waitForTimeout(300);
  }

  private Locator button(String name) {
    return page.getByRole(
        AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
  }

  private static Page.GetByRoleOptions heading(String name, int level) {
    return new Page.GetByRoleOptions().setName(name).setLevel(level).setExact(true);
  }

  private static Page.GetByRoleOptions link(String name) {
    return new Page.GetByRoleOptions().setName(name).setExact(true);
  }

  private static Page.LocatorOptions row(String text) {
    return new Page.LocatorOptions().setHasText(text);
  }

  private static String submit(String name, int trials) {
    return server.post("/jobs", LONG_JOB.formatted(name, trials)).path("id").asString();
  }

  private void await(String job, Predicate<JsonNode> condition) {
    long deadline = System.nanoTime() + 120_000_000_000L;
    JsonNode view = server.get("/jobs/" + job);
    while (!condition.test(view)) {
      assertThat(System.nanoTime()).as("waited too long; the job is %s", view).isLessThan(deadline);
      // Playwright's own wait: its events arrive meanwhile.
      page.waitForTimeout(100);
      view = server.get("/jobs/" + job);
    }
  }

  private void showBranch(int branch) {
    page.evaluate(
        "branch => location.hash = location.hash.split('?')[0] + '?branch=' + branch", branch);
    assertThat(page.locator(".drawer h2")).hasText("Branch " + branch);
  }

  /// Pauses a job while a round has a branch that was measured and one that runs.
  private void holdWithTrials(String job) {
    for (int again = 0; again < 60; again++) {
      await(job, view -> trial(job, "MEASURED") > 0);
      server.post("/jobs/" + job + "/pause", "");
      await(job, view -> view.path("state").asString().equals("PAUSED"));
      page.waitForTimeout(500);
      if (trial(job, "MEASURED") > 0 && trial(job, "RUNNING") > 0) {
        return;
      }
      server.post("/jobs/" + job + "/resume", "");
      page.waitForTimeout(150);
    }
    throw new AssertionError("no round with two branches on trial: " + server.get("/jobs/" + job));
  }

  /// Pauses a job while a race has two entrants that ran.
  private void holdInARace(String job) {
    for (int again = 0; again < 60; again++) {
      await(job, view -> entrants(job).size() > 1);
      server.post("/jobs/" + job + "/pause", "");
      await(job, view -> view.path("state").asString().equals("PAUSED"));
      page.waitForTimeout(500);
      if (entrants(job).size() > 1) {
        return;
      }
      server.post("/jobs/" + job + "/resume", "");
      page.waitForTimeout(150);
    }
    throw new AssertionError("no race with two entrants: " + server.get("/jobs/" + job));
  }

  /// {@return the entrants of the race that runs, the incumbent first}
  private static List<Integer> entrants(String job) {
    var found = new ArrayList<Integer>();
    for (JsonNode branch : server.get("/jobs/" + job + "/tree").path("branches")) {
      boolean isIn =
          branch.path("kind").asString().equals("TRIAL")
              && List.of("WAITING", "RUNNING", "MEASURED")
                  .contains(branch.path("state").asString());
      int number = branch.path("branch").asInt();
      if (isIn && hasLosses(job, number)) {
        found.add(number);
      }
    }
    return found;
  }

  /// {@return the latest branch on trial in a state with losses; -1 when there is none}
  private static int trial(String job, String state) {
    int found = -1;
    for (JsonNode branch : server.get("/jobs/" + job + "/tree").path("branches")) {
      boolean isOne =
          branch.path("kind").asString().equals("TRIAL")
              && branch.path("state").asString().equals(state);
      int number = branch.path("branch").asInt();
      found = isOne && hasLosses(job, number) ? number : found;
    }
    return found;
  }

  // A branch runs before it reports.
  private static boolean hasLosses(String job, int branch) {
    String path = "/jobs/" + job + "/branches/" + branch + "/metrics?points=2";
    return !server.get(path).path("buckets").isEmpty();
  }
}
