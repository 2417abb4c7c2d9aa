package dev.espalier.tuner.rest;

import dev.espalier.tuner.app.port.AnswerStore;
import dev.espalier.tuner.app.port.TokenStore;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import java.time.InstantSource;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.jackson.autoconfigure.JsonMapperBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

/// The REST interface, for whoever has the ports behind it and a `RestSettings`.
@Configuration(proxyBeanMethods = false)
@ComponentScan(basePackageClasses = RestConfiguration.class)
public class RestConfiguration {
  private static final String VERSION = "0.1.0";

  @Bean
  Problems problems(JsonMapper json) {
    return new Problems(json);
  }

  @Bean
  EventHub eventHub() {
    return new EventHub();
  }

  @Bean
  Authenticator authenticator(TokenStore tokens, InstantSource clock) {
    return new Authenticator(tokens, clock);
  }

  /// Requests that were cut off when the server ended may be sent again.
  @Bean
  SmartInitializingSingleton cutOffRequests(AnswerStore answers) {
    return answers::releaseRunning;
  }

  @Bean
  ServerController.ServerVersion serverVersion() {
    return new ServerController.ServerVersion(VERSION, "v1", Runtime.version().toString());
  }

  /// JSON has no NaN: a number that is not finite becomes null.
  @Bean
  JsonMapperBuilderCustomizer finiteNumbers() {
    return builder ->
        builder.addModule(
            new SimpleModule("espalier-finite").addSerializer(Double.class, new FiniteOrNull()));
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
                    "token",
                    new SecurityScheme().type(SecurityScheme.Type.HTTP).scheme("bearer")))
        .addSecurityItem(new SecurityRequirement().addList("token"));
  }

  private static final class FiniteOrNull extends ValueSerializer<Double> {
    @Override
    public void serialize(Double value, JsonGenerator out, SerializationContext context) {
      if (Double.isFinite(value)) {
        out.writeNumber(value);
      } else {
        out.writeNull();
      }
    }
  }
}
