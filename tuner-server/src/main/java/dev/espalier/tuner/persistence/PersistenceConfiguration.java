package dev.espalier.tuner.persistence;

import dev.espalier.tuner.app.port.AnswerStore;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.app.port.TokenStore;
import jakarta.persistence.EntityManager;
import java.time.Duration;
import java.time.InstantSource;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.jpa.repository.config.EnableJpaRepositories;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;

/// The stores, for whoever has a `DataSource`.
@Configuration(proxyBeanMethods = false)
@EntityScan(basePackageClasses = PersistenceConfiguration.class)
@EnableJpaRepositories(basePackageClasses = PersistenceConfiguration.class)
public class PersistenceConfiguration {
  /// Of the ten connections of the pool.
  private static final int READERS = 6;

  /// Less than a client waits, more than a page's queries take.
  private static final Duration READERS_WAIT = Duration.ofSeconds(10);

  private static final Duration LONGEST_READ = Duration.ofSeconds(10);

  /// Anybody may show a secret that has to be looked up.
  private static final int SECRETS_AT_A_TIME = 2;

  @Bean
  DocumentCodec documentCodec() {
    return new DocumentCodec();
  }

  @Bean
  Stalls stalls() {
    return new Stalls();
  }

  @Bean
  Transactions transactions(PlatformTransactionManager manager) {
    return new Transactions(manager);
  }

  @Bean
  PostgresEventLog eventLog(
      Transactions transactions,
      EntityManager entities,
      JobRepository jobs,
      BranchRepository branches,
      JdbcTemplate sql,
      DocumentCodec codec,
      InstantSource clock) {
    return new PostgresEventLog(transactions, entities, jobs, branches, sql, codec, clock);
  }

  @Bean
  JobStore jobStore(
      Transactions transactions,
      EntityManager entities,
      JobRepository jobs,
      PostgresEventLog log,
      ResultRepository results,
      JdbcTemplate sql,
      DocumentCodec codec,
      InstantSource clock) {
    return new PostgresJobStore(transactions, entities, jobs, log, results, sql, codec, clock);
  }

  @Bean
  JobQueries jobQueries(
      Transactions transactions,
      JobRepository jobs,
      BranchRepository branches,
      RoundRepository rounds,
      ResultRepository results,
      JdbcTemplate sql,
      DocumentCodec codec,
      Stalls stalls) {
    return new PostgresJobQueries(
        transactions.withReaders(READERS, READERS_WAIT, LONGEST_READ),
        transactions,
        jobs,
        branches,
        rounds,
        results,
        sql,
        codec,
        stalls);
  }

  @Bean
  TokenStore tokenStore(
      Transactions transactions, TokenRepository tokens, JdbcTemplate sql, InstantSource clock) {
    return new PostgresTokenStore(
        transactions.withReaders(SECRETS_AT_A_TIME, READERS_WAIT, LONGEST_READ),
        tokens,
        sql,
        clock);
  }

  @Bean
  AnswerStore answerStore(Transactions transactions, JdbcTemplate sql, DocumentCodec codec) {
    return new PostgresAnswerStore(transactions, sql, codec);
  }
}
