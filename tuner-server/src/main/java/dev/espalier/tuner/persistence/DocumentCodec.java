package dev.espalier.tuner.persistence;

import dev.espalier.api.model.Shape;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Documents of the database to JSON and back.
///
/// Numbers come back bit for bit; NaN and infinities are written as texts and read as numbers.
/// Views for people have null in their place.
final class DocumentCodec {
  private static final TypeReference<TreeMap<String, Double>> NUMBERS = new TypeReference<>() {};
  private static final TypeReference<List<JobSpec.ScheduleEntry>> PATH = new TypeReference<>() {};
  private static final TypeReference<LinkedHashMap<String, Object>> TREE = new TypeReference<>() {};

  private final JsonMapper exact =
      JsonMapper.builder()
          // A number that older documents do not have is 0.
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .addModule(new DocumentModule())
          .build();
  private final JsonMapper views =
      JsonMapper.builder()
          .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .addModule(new DocumentModule())
          .addModule(new FiniteNumbersModule())
          .build();
  private final JsonMapper evidence =
      JsonMapper.builder().disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY).build();

  String write(SessionEvent event) {
    return exact.writerFor(SessionEvent.class).writeValueAsString(event);
  }

  SessionEvent readEvent(String json) {
    return exact.readValue(json, SessionEvent.class);
  }

  String write(JobSpec spec) {
    return exact.writeValueAsString(spec);
  }

  JobSpec readSpec(String json) {
    return exact.readValue(json, JobSpec.class);
  }

  String writePath(List<JobPlan.ScheduleStep> path) {
    return exact
        .writerFor(PATH)
        .writeValueAsString(
            path.stream()
                .map(step ->
                    new JobSpec.ScheduleEntry(
                        step.fromClock(),
                        step.setting(),
                        step.shape() instanceof Shape.LinearToZero fall
                            ? Optional.of(fall)
                            : Optional.empty()))
                .toList());
  }

  List<JobSpec.ScheduleEntry> readPath(String json) {
    return exact.readValue(json, PATH);
  }

  /// Values by name, such as a setting or metrics.
  String writeNumbers(Map<String, Double> numbers) {
    return exact.writeValueAsString(numbers);
  }

  Map<String, Double> readNumbers(String json) {
    return exact.readValue(json, NUMBERS);
  }

  String writeEvidence(Map<String, Object> tree) {
    return evidence.writeValueAsString(tree);
  }

  Map<String, Object> readTree(String json) {
    return views.readValue(json, TREE);
  }

  String writeTree(Map<String, Object> tree) {
    return views.writeValueAsString(tree);
  }

  /// {@return a view as the interface shows it}
  Map<String, Object> tree(Object view) {
    return views.readValue(views.writeValueAsString(view), TREE);
  }
}
