package dev.espalier.tuner.boot;

import dev.espalier.tuner.app.port.DataFolders;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.persistence.DocumentModule;
import dev.espalier.tuner.persistence.FiniteNumbersModule;
import dev.espalier.tuner.persistence.PersistenceConfiguration;
import dev.espalier.tuner.rest.RestConfiguration;
import dev.espalier.tuner.rest.RestSettings;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.Console;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.TreeMap;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.security.autoconfigure.UserDetailsServiceAutoConfiguration;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import tools.jackson.databind.JacksonModule;

/// Everything of a server but the runners of its jobs: database, stores, REST, security, meters.
///
/// It needs beans of `JobService`, `ProgramRegistry` and `WorkerLauncher` from another
/// configuration.
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration(exclude = UserDetailsServiceAutoConfiguration.class)
@EnableConfigurationProperties(TunerProperties.class)
@Import({DatabaseConfiguration.class, PersistenceConfiguration.class, RestConfiguration.class})
class ServerConfiguration {
  @Bean
  InstantSource clock() {
    return InstantSource.system();
  }

  @Bean
  JacksonModule documentModule() {
    return new DocumentModule();
  }

  @Bean
  JacksonModule finiteNumbersModule() {
    return new FiniteNumbersModule();
  }

  /// What the web server writes lies in the home: in the folder for temporary files it would stay.
  @Bean
  WebServerFactoryCustomizer<TomcatServletWebServerFactory> webFolders(TunerProperties properties) {
    return factory -> {
      try {
        Path folder = Files.createDirectories(properties.homeFolder().resolve("web"));
        factory.setBaseDirectory(folder.toFile());
        factory.setDocumentRoot(Files.createDirectories(folder.resolve("root")).toFile());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
  }

  @Bean
  DataFolders dataFolders(TunerProperties properties) {
    return new DataRoots(properties.dataFolders());
  }

  @Bean
  RestSettings restSettings(TunerProperties properties) {
    TunerProperties.Http http = properties.http();
    return new RestSettings(
        http.address(),
        http.hosts(),
        http.postsPerSecond(),
        http.postBurst(),
        http.failuresPerMinute());
  }

  @Bean
  HomeToken homeToken(TokenStore tokens, TunerProperties properties) {
    Console console = System.console();
    return new HomeToken(
        tokens,
        properties.homeFolder().resolve("token"),
        System.out,
        console != null && console.isTerminal(),
        properties.newToken());
  }

  @Bean
  MicrometerTunerMeters tunerMeters(
      MeterRegistry registry, JobQueries queries, Stalls stalls, InstantSource clock) {
    return new MicrometerTunerMeters(registry, queries, stalls, clock);
  }

  /// Part of the health that only a monitor sees: who looks at jobs can be served all the same.
  @Bean
  HealthIndicator jobsHealthIndicator(Stalls stalls) {
    return () -> {
      var reasons = new TreeMap<String, String>();
      stalls.all().forEach((job, stall) -> reasons.put(job, stall.reason()));
      return reasons.isEmpty()
          ? Health.up().build()
          : Health.down().withDetail("stalled", reasons).build();
    };
  }
}
