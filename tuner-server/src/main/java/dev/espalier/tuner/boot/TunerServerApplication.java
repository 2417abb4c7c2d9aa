package dev.espalier.tuner.boot;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HostPort;
import dev.espalier.tuner.grpc.WorkerServer;
import dev.espalier.tuner.persistence.FolderLock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.support.GenericApplicationContext;

/// The tuner server as a process.
public final class TunerServerApplication {
  private static final Logger LOG = LoggerFactory.getLogger(TunerServerApplication.class);

  private TunerServerApplication() {}

  /// Starts a server and leaves it running; status 1 and one sentence when it cannot start.
  public static void main(String[] arguments) {
    try {
      start(arguments);
    } catch (EspalierException e) {
      System.err.println("espalier: " + e.getMessage());
      System.exit(1);
    }
  }

  /// Starts a server.
  ///
  /// @param arguments properties such as `--espalier.http.port=8080`; see `TunerProperties`
  /// @return the running server; closing it ends the server in good order
  /// @throws EspalierException with one sentence for people when it cannot start
  public static ConfigurableApplicationContext start(String... arguments) {
    return start(List.of(ServerConfiguration.class, RunnerConfiguration.class), arguments);
  }

  /// Starts a server from the given configurations.
  static ConfigurableApplicationContext start(List<Class<?>> configurations, String... arguments) {
    @Nullable FolderLock lock = null;
    var postgres = new PostgresStart();
    try {
      Path home = HomeFolder.find(arguments, System.getenv());
      lock = HomeFolder.take(home);
      var all = new ArrayList<>(Arrays.asList(arguments));
      all.removeIf(argument -> argument.startsWith("--espalier.home="));
      all.add("--espalier.home=" + home);
      var application = new SpringApplication(configurations.toArray(Class<?>[]::new));
      application.setBannerMode(Banner.Mode.OFF);
      application.setLogStartupInfo(false);
      application.addInitializers(keeping(lock), new Preflight(), postgres);
      ConfigurableApplicationContext context = application.run(all.toArray(String[]::new));
      LOG.info(
          "event=server-ready dashboard={} worker-port={} home={}",
          dashboard(context),
          workerPort(context),
          home);
      context.addApplicationListener(new StopNote());
      return context;
    } catch (RuntimeException e) {
      postgres.close();
      if (lock != null) {
        lock.close();
      }
      throw StartFailures.explain(e).orElseThrow(() -> e);
    }
  }

  /// Tells the log that a server was stopped, which it cannot of one that was killed.
  private static final class StopNote implements ApplicationListener<ContextClosedEvent> {
    @Override
    public void onApplicationEvent(ContextClosedEvent event) {
      LOG.info("event=server-stopping jobs go on with their workers, and with the next server");
    }
  }

  /// The home is this server's until all else has ended.
  private static ApplicationContextInitializer<GenericApplicationContext> keeping(FolderLock lock) {
    return context -> context.registerBean("homeLock", FolderLock.class, () -> lock);
  }

  /// {@return the port for workers of this machine; `none` of a server without runners}
  private static String workerPort(ConfigurableApplicationContext context) {
    return context.getBeanProvider(WorkerServer.class).stream()
        .map(workers -> Integer.toString(workers.port()))
        .findFirst()
        .orElse("none");
  }

  /// {@return the address of the web page of a running server}
  public static String dashboard(ConfigurableApplicationContext context) {
    String address = context.getEnvironment().getProperty("server.address", "127.0.0.1");
    int port =
        context instanceof WebServerApplicationContext web && web.getWebServer() != null
            ? web.getWebServer().getPort()
            : 0;
    String scheme =
        context.getEnvironment().containsProperty("server.ssl.bundle") ? "https" : "http";
    return scheme + "://" + new HostPort(Preflight.fromHere(address), port);
  }
}
