package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.api.rest.JobSpecSchema;
import dev.espalier.cli.client.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/// The document, the schema and the reader of job files say the same.
final class JobFileDocumentTest {
  private static final ProgramDescriptor MLP =
      new ProgramDescriptor(
          "mlp",
          "A perceptron.",
          false,
          List.of(
              new Argument("hidden", "", Argument.Type.INTEGER_LIST, "128", 1.0, 1e4, List.of()),
              new Argument(
                  "optimizer",
                  "",
                  Argument.Type.CHOICE,
                  "momentum",
                  null,
                  null,
                  List.of("sgd", "momentum"))),
          List.of(new Tunable.LogRange("learningRate", 1e-5, 1, 0.01)),
          List.of(new MetricSpec("accuracy", Goal.MAXIMIZE, MetricSpec.Aggregate.MEAN)));

  /// Keys that say what all policies do, or that another policy refuses.
  private static final Set<String> EVERYWHERE =
      Set.of("tuning.policy", "tuning.setting", "tuning.schedule");

  private static final JsonNode SCHEMA = Json.parse(JobSpecSchema.json());

  private static String text() throws IOException {
    return Files.readString(Path.of(System.getProperty("espalier.home.dist"), "docs/JOB_FILE.md"));
  }

  static List<String> examples() throws IOException {
    return Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL)
        .matcher(text())
        .results()
        .map(match -> match.group(1))
        .toList();
  }

  private static JobSpecReader.Result read(Map<String, Object> document) {
    return JobSpecReader.read(
        document, name -> name.equals("mlp") ? Optional.of(MLP) : Optional.empty());
  }

  @ParameterizedTest
  @MethodSource("examples")
  void exampleIsAcceptedByReaderAndSchema(String example) {
    Map<String, Object> document = Json.readDocument("example", example);

    assertThat(read(document).problems()).isEmpty();
    assertThat(new SchemaCheck(SCHEMA).problems(Json.tree(document))).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void effectiveFormOfAnExampleIsAcceptedByTheSchema(String example) {
    JobSpec spec = read(Json.readDocument("example", example)).spec().orElseThrow();

    JsonNode effective = Json.tree(JobSpecReader.toDocument(spec));

    assertThat(new SchemaCheck(SCHEMA).problems(effective)).isEmpty();
  }

  @Test
  void schemaRejectsWhatTheReaderRejects() {
    for (String broken :
        List.of(
            "program: mlp\nworkers: 0",
            "program: mlp\nworker: 2",
            "program: mlp\ntuning: { windws: 10 }",
            "program: mlp\ntuning: { policy: magic }",
            "program: mlp\nstop: { maxTime: soon }",
            "workers: 2",
            "program: mlp\ntunables: { learningRate: { type: lg } }")) {
      Map<String, Object> document = Json.readDocument("broken", broken);
      assertThat(read(document).problems()).as(broken).isNotEmpty();
      assertThat(new SchemaCheck(SCHEMA).problems(Json.tree(document))).as(broken).isNotEmpty();
    }
  }

  @Test
  void tableOfKeysHasTheDefaultsOfTheReader() throws IOException {
    // Each policy shows the keys that have an effect with it; racing has the last word.
    Map<String, String> effective = new TreeMap<>();
    PolicyName.ALL.reversed().forEach(policy -> effective.putAll(shown(policy)));

    documentedDefaults()
        .forEach((key, value) -> {
          String actual = effective.get(key);
          assertThat(actual == null ? "" : actual.replaceFirst("^0s$", "0"))
              .as(key)
              .isEqualTo(value);
        });
  }

  private static Map<String, String> shown(String policy) {
    Map<String, Object> document = Map.of("program", "mlp", "tuning", Map.of("policy", policy));
    JobSpec spec = read(document).spec().orElseThrow();
    Map<String, String> shown = new TreeMap<>();
    flatten("", Json.tree(JobSpecReader.toDocument(spec)), shown);
    return shown;
  }

  /// The row of a key begins with the policies that it has an effect with, if not with all.
  @ParameterizedTest
  @FieldSource("dev.espalier.api.model.PolicyName#ALL")
  void tableOfKeysNamesThePoliciesOfAKey(String policy) throws IOException {
    Set<String> shown = shown(policy).keySet();
    Map<String, String> policies = new TreeMap<>();
    Pattern.compile("^\\| `(tuning\\.[A-Za-z.]+)` \\|[^|]*\\| ([^|:]*):?.*", Pattern.MULTILINE)
        .matcher(text())
        .results()
        .forEach(match -> policies.put(match.group(1), match.group(2)));
    assertThat(policies).hasSizeGreaterThan(40);

    policies.forEach((key, words) -> {
      boolean isNamed =
          words.contains("`" + policy + "`")
              || (words.equals("populations") && !PolicyName.WITH_MAINLINE.contains(policy))
              || (PolicyName.ALL.stream().noneMatch(name -> words.contains("`" + name + "`"))
                  && !words.equals("populations")
                  && key.startsWith("tuning.racing.")
                  && policy.equals(PolicyName.RACING));
      if (!EVERYWHERE.contains(key)) {
        assertThat(shown.contains(key)).as(key + " with " + policy).isEqualTo(isNamed);
      }
    });
  }

  @Test
  void tableOfKeysAndSchemaNameTheSameKeysAndDefaults() throws IOException {
    Map<String, String> ofSchema = new TreeMap<>();
    schemaDefaults("", SCHEMA, ofSchema);
    Map<String, String> documented = new LinkedHashMap<>(documentedKeys());

    assertThat(ofSchema.keySet()).isEqualTo(new TreeMap<>(documented).keySet());
    ofSchema.forEach((key, value) -> {
      if (!value.isEmpty()) {
        assertThat(documented.get(key)).as(key).isEqualTo("`" + value + "`");
      }
    });
  }

  /// Keys of the table with the text of their default.
  private static Map<String, String> documentedKeys() throws IOException {
    String table = text().split("## Keys")[1].split("## Tunables")[0];
    var keys = new LinkedHashMap<String, String>();
    Pattern.compile("^\\| `([A-Za-z.]+)` \\| ?(.*?) ?\\|", Pattern.MULTILINE)
        .matcher(table)
        .results()
        .forEach(match -> keys.put(match.group(1), match.group(2)));
    return keys;
  }

  private static Map<String, String> documentedDefaults() throws IOException {
    var defaults = new TreeMap<String, String>();
    documentedKeys()
        .forEach((key, value) -> {
          if (value.matches("`.*`")) {
            defaults.put(key, value.substring(1, value.length() - 1));
          }
        });
    assertThat(defaults).hasSizeGreaterThan(15);
    return defaults;
  }

  private static void flatten(String prefix, JsonNode node, Map<String, String> into) {
    node.properties()
        .forEach(entry -> {
          String key = prefix.isEmpty() ? entry.getKey() : prefix + "." + entry.getKey();
          if (entry.getValue().isObject()) {
            flatten(key, entry.getValue(), into);
          } else {
            into.put(key, entry.getValue().asString());
          }
        });
  }

  private static void schemaDefaults(String prefix, JsonNode schema, Map<String, String> into) {
    schema
        .path("properties")
        .properties()
        .forEach(entry -> {
          String key = prefix.isEmpty() ? entry.getKey() : prefix + "." + entry.getKey();
          if (entry.getValue().has("properties")) {
            schemaDefaults(key, entry.getValue(), into);
          } else {
            into.put(key, entry.getValue().path("default").asString(""));
          }
        });
  }
}
