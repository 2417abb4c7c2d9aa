package dev.espalier.tuner.rest;

import dev.espalier.api.model.Version;
import dev.espalier.tuner.app.port.AnswerStore;
import dev.espalier.tuner.app.port.TokenStore;
import io.swagger.v3.core.converter.ModelConverters;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.SpecVersion;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import java.time.InstantSource;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import tools.jackson.databind.json.JsonMapper;

/// The REST interface, for whoever has the ports behind it and a `RestSettings`.
@Configuration(proxyBeanMethods = false)
@ComponentScan(basePackageClasses = RestConfiguration.class)
public class RestConfiguration {
  @Bean
  Problems problems(JsonMapper json) {
    return new Problems(json);
  }

  /// The web server's own page says nothing in the one form that answers have.
  @Bean
  WebServerFactoryCustomizer<TomcatServletWebServerFactory> refusals(Problems problems) {
    return factory ->
        factory.addContextCustomizers(
            context -> context.getParent().getPipeline().addValve(new ProblemValve(problems)));
  }

  @Bean
  WebMvcConfigurer knownParameters() {
    return new WebMvcConfigurer() {
      @Override
      public void addInterceptors(InterceptorRegistry registry) {
        registry.addInterceptor(new KnownParameters());
      }
    };
  }

  @Bean
  EventHub eventHub() {
    return new EventHub();
  }

  @Bean
  Authenticator authenticator(TokenStore tokens, InstantSource clock) {
    return new Authenticator(tokens, clock);
  }

  @Bean
  LargeAnswers largeAnswers() {
    return new LargeAnswers(LargeAnswers.AT_A_TIME, "recordings and logs are being sent");
  }

  /// Requests that were cut off when the server ended may be sent again.
  @Bean
  SmartInitializingSingleton cutOffRequests(AnswerStore answers) {
    return answers::releaseRunning;
  }

  @Bean
  ServerController.ServerVersion serverVersion() {
    return new ServerController.ServerVersion(Version.CURRENT, "v1", Runtime.version().toString());
  }

  @Bean
  OpenAPI openApi() {
    return new OpenAPI()
        .info(
            new Info()
                .title("Espalier")
                .version("v1")
                .description("Automatic tuning of training tunables while a model trains."))
        .components(
            new Components()
                .addSecuritySchemes(
                    "token", new SecurityScheme().type(SecurityScheme.Type.HTTP).scheme("bearer")))
        .addSecurityItem(new SecurityRequirement().addList("token"));
  }

  /// Whatever is asked for, an answer that is not a success has one form.
  @Bean
  OpenApiCustomizer problemDocuments() {
    return document -> {
      ModelConverters.getInstance(document.getSpecVersion() == SpecVersion.V31)
          .readAll(ProblemView.class)
          .forEach(document.getComponents()::addSchemas);
      Schema<?> form = new Schema<>().$ref(ProblemView.class.getSimpleName());
      var problem =
          new ApiResponse()
              .description("what went wrong, as RFC 9457 has it")
              .content(
                  new Content()
                      .addMediaType("application/problem+json", new MediaType().schema(form)));
      document.getPaths().values().stream()
          .flatMap(path -> path.readOperations().stream())
          .forEach(operation -> operation.getResponses().addApiResponse("default", problem));
    };
  }
}
