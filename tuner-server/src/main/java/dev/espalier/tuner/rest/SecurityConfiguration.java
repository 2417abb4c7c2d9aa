package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.app.port.AnswerStore;
import jakarta.servlet.DispatcherType;
import java.time.Duration;
import java.time.InstantSource;
import java.util.stream.Stream;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.access.intercept.AuthorizationFilter;
import org.springframework.security.web.authentication.UsernamePasswordAuthenticationFilter;
import org.springframework.security.web.firewall.HttpFirewall;
import org.springframework.security.web.firewall.StrictHttpFirewall;
import org.springframework.security.web.header.writers.CrossOriginOpenerPolicyHeaderWriter;
import org.springframework.security.web.header.writers.CrossOriginResourcePolicyHeaderWriter;
import org.springframework.security.web.header.writers.ReferrerPolicyHeaderWriter.ReferrerPolicy;
import org.springframework.security.web.servlet.util.matcher.PathPatternRequestMatcher;
import org.springframework.security.web.util.matcher.OrRequestMatcher;
import org.springframework.security.web.util.matcher.RequestMatcher;

/// Who may reach what. Everything needs a token but the page's own files, which hold no data, the
/// two probes, and the door that trades a one-time code for a session.
@Configuration(proxyBeanMethods = false)
class SecurityConfiguration {
  /// Files of the web page, by the folders and endings they have.
  static final String[] PAGE_FILES = {
    "/",
    "/index.html",
    "/robots.txt",
    "/*.css",
    "/*.js",
    "/*.svg",
    "/*.ico",
    "/*.png",
    "/*.woff2",
    "/js/**",
    "/css/**",
    "/assets/**"
  };

  static final String[] PROBES = {"/actuator/health/liveness", "/actuator/health/readiness"};

  static final String SIGN_IN = "/sign-in";

  /// What anybody may get.
  static final RequestMatcher OPEN =
      new OrRequestMatcher(
          Stream.of(Stream.of(PAGE_FILES), Stream.of(PROBES), Stream.of(SIGN_IN))
              .flatMap(paths -> paths)
              .<RequestMatcher>map(
                  path -> PathPatternRequestMatcher.withDefaults().matcher(HttpMethod.GET, path))
              .toList());

  private static final String CONTENT_POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
          + " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self';"
          + " frame-ancestors 'none'";

  private static final String FEATURES = "camera=(), geolocation=(), microphone=(), payment=()";

  /// PostgreSQL keeps no zero in a text.
  @Bean
  HttpFirewall httpFirewall() {
    var firewall = new StrictHttpFirewall();
    firewall.setAllowedParameterValues(value -> value.indexOf(0) < 0);
    return firewall;
  }

  @Bean
  FilterRegistrationBean<TraceFilter> traceFilter() {
    var registration = new FilterRegistrationBean<>(new TraceFilter());
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
    return registration;
  }

  @Bean
  FilterRegistrationBean<HostFilter> hostFilter(RestSettings settings, Problems problems) {
    var registration = new FilterRegistrationBean<>(new HostFilter(settings, problems));
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE + 1);
    return registration;
  }

  @Bean
  RateLimits failureLimits(RestSettings settings) {
    return new RateLimits(
        settings.failuresPerMinute(), settings.failuresPerMinute(), Duration.ofMinutes(1));
  }

  @Bean
  SecurityFilterChain securityFilterChain(
      HttpSecurity http,
      Authenticator authenticator,
      RateLimits failureLimits,
      AnswerStore answers,
      Problems problems,
      RestSettings settings,
      InstantSource clock) {
    var rate =
        new RateLimits(settings.postBurst(), settings.postsPerSecond(), Duration.ofSeconds(1));
    return http.csrf(AbstractHttpConfigurer::disable)
        .requestCache(AbstractHttpConfigurer::disable)
        .logout(AbstractHttpConfigurer::disable)
        .sessionManagement(
            session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
        .headers(headers ->
            headers
                .contentSecurityPolicy(policy -> policy.policyDirectives(CONTENT_POLICY))
                .referrerPolicy(policy -> policy.policy(ReferrerPolicy.NO_REFERRER))
                .permissionsPolicyHeader(policy -> policy.policy(FEATURES))
                .crossOriginOpenerPolicy(policy ->
                    policy.policy(
                        CrossOriginOpenerPolicyHeaderWriter.CrossOriginOpenerPolicy.SAME_ORIGIN))
                .crossOriginResourcePolicy(policy ->
                    policy.policy(
                        CrossOriginResourcePolicyHeaderWriter.CrossOriginResourcePolicy
                            .SAME_ORIGIN))
                .frameOptions(frame -> frame.deny()))
        .authorizeHttpRequests(routes ->
            routes
                .dispatcherTypeMatchers(DispatcherType.ASYNC, DispatcherType.ERROR)
                .permitAll()
                .requestMatchers(OPEN)
                .permitAll()
                .anyRequest()
                .authenticated())
        .exceptionHandling(failures ->
            failures
                .authenticationEntryPoint((request, response, failure) ->
                    problems.write(
                        request,
                        response,
                        new EspalierException(
                            ErrorCode.UNAUTHENTICATED,
                            "a valid token is needed: Authorization: Bearer <token>")))
                .accessDeniedHandler((request, response, failure) ->
                    problems.write(
                        request,
                        response,
                        new EspalierException(ErrorCode.FORBIDDEN, "this caller may not do that"))))
        .addFilterBefore(
            new AuthenticationFilter(authenticator, failureLimits, problems, OPEN),
            UsernamePasswordAuthenticationFilter.class)
        .addFilterAfter(
            new UnsafeRequestFilter(rate, answers, problems, clock), AuthorizationFilter.class)
        .build();
  }
}
