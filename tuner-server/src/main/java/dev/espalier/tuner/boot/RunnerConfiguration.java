package dev.espalier.tuner.boot;

import dev.espalier.api.model.HostPort;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.RunnerPorts;
import dev.espalier.tuner.app.Secrets;
import dev.espalier.tuner.app.SessionDirectory;
import dev.espalier.tuner.app.WorkerLeases;
import dev.espalier.tuner.app.port.DataFolders;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.EventPublisher;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.JobTryout;
import dev.espalier.tuner.app.port.ModelExporter;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.app.port.TunerMeters;
import dev.espalier.tuner.grpc.GrpcWorkerGateway;
import dev.espalier.tuner.grpc.WorkerServer;
import dev.espalier.tuner.grpc.WorkerSessionEndpoint;
import dev.espalier.tuner.launch.CheckpointExporter;
import dev.espalier.tuner.launch.DescribedPrograms;
import dev.espalier.tuner.launch.LocalProcessLauncher;
import dev.espalier.tuner.launch.LocalTryout;
import dev.espalier.tuner.launch.WorkerCommand;
import dev.espalier.tuner.persistence.FolderLock;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/// The runners of jobs and what they drive: the worker channel, worker processes, programs.
@Configuration(proxyBeanMethods = false)
class RunnerConfiguration {
  private static final WorkerLeases.Times LEASES =
      new WorkerLeases.Times(
          Duration.ofSeconds(60), Duration.ofSeconds(15), Duration.ofMinutes(30));
  private static final long MAX_LOG_BYTES = 64L << 20;

  @Bean
  GrpcWorkerGateway workerGateway() {
    return new GrpcWorkerGateway();
  }

  /// What the database holds of secrets.
  private record StoredCredentials(TokenStore tokens, JobStore jobs)
      implements WorkerSessionEndpoint.Credentials {
    @Override
    public boolean isApiToken(String text) {
      return tokens.use(Secrets.sha256(text), Instant.now());
    }

    @Override
    public boolean isOfWorkers(String job, String text) {
      return jobs.workerSecret(job).filter(hash -> Secrets.matches(text, hash)).isPresent();
    }
  }

  @Bean(destroyMethod = "close")
  WorkerServer workerServer(
      TunerProperties properties, GrpcWorkerGateway gateway, TokenStore tokens, JobStore jobs) {
    TunerProperties.Grpc grpc = properties.grpc();
    var endpoint = new WorkerSessionEndpoint(gateway, new StoredCredentials(tokens, jobs));
    if (!properties.encryptsWorkers()) {
      return WorkerServer.start(grpc.address(), grpc.port(), endpoint);
    }
    TunerProperties.Tls tls = properties.tls();
    return WorkerServer.start(
        new WorkerServer.Encrypted(
            grpc.address(), grpc.port(), tls.certificateFile(), tls.keyFile()),
        Preflight.LOOPBACK,
        grpc.localPort(),
        endpoint);
  }

  @Bean
  WorkerCommand workerCommand(TunerProperties properties) {
    return WorkerCommand.ofDistribution(properties.workerJavaOptions());
  }

  @Bean
  DescribedPrograms programRegistry(WorkerCommand command, TunerProperties properties) {
    return new DescribedPrograms(command, properties.programsFolder());
  }

  @Bean
  JobTryout jobTryout(WorkerCommand command, DescribedPrograms programs) {
    return new LocalTryout(command, programs);
  }

  /// @param homeLock nobody else exports from this home
  @Bean
  ModelExporter modelExporter(
      WorkerCommand command,
      DescribedPrograms programs,
      TunerProperties properties,
      FolderLock homeLock) {
    var exporter =
        new CheckpointExporter(command, programs, properties.homeFolder().resolve("jobs"));
    exporter.discardUnfinished();
    return exporter;
  }

  @Bean
  LocalProcessLauncher workerLauncher(
      WorkerCommand command,
      DescribedPrograms programs,
      TunerProperties properties,
      WorkerServer workers) {
    return new LocalProcessLauncher(
        command,
        programs,
        properties.homeFolder().resolve("jobs"),
        new HostPort(
                properties.encryptsWorkers()
                    ? Preflight.LOOPBACK
                    : Preflight.fromHere(properties.grpc().address()),
                workers.port())
            .toString());
  }

  @Bean(initMethod = "start", destroyMethod = "close")
  LogRoller logRoller(
      LocalProcessLauncher launcher, DatabaseConfiguration.DatabaseServer database) {
    return new LogRoller(
        () -> Stream.concat(launcher.liveLogs().stream(), database.log().stream()).toList(),
        MAX_LOG_BYTES);
  }

  @Bean(destroyMethod = "close")
  SessionDirectory jobService(
      JobStore jobs,
      EventLog log,
      EventPublisher publisher,
      GrpcWorkerGateway gateway,
      LocalProcessLauncher launcher,
      TunerMeters meters,
      Stalls stalls,
      DescribedPrograms programs,
      DataFolders dataFolders,
      TunerProperties properties) {
    var ports =
        new RunnerPorts(
            jobs,
            log,
            publisher,
            gateway,
            launcher,
            meters,
            stalls,
            LEASES,
            launcher::checkpointFolder);
    return new SessionDirectory(
        ports, programs, spec -> dataFolder(spec, dataFolders), properties.maxJobsRunning());
  }

  /// Data of workers that come by themselves lie on their machines, out of this server's sight.
  private static String dataFolder(JobSpec spec, DataFolders folders) {
    return spec.data()
        .map(data ->
            spec.launch() == JobSpec.Launch.EXTERNAL ? data : folders.resolve(data).toString())
        .orElse("");
  }

  @Bean
  ApplicationListener<ApplicationReadyEvent> resumeJobs(SessionDirectory sessions) {
    return _ -> sessions.resumeAll();
  }
}
