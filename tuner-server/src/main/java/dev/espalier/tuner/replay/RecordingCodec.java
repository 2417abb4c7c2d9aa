package dev.espalier.tuner.replay;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.persistence.DocumentModule;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Recordings as text: JSON, one document a line.
///
/// The first line is the job, then come its events, then its decisions, and the last line counts
/// both, so that a recording which was cut off is not taken for a whole one. Numbers come back bit
/// for bit; NaN and infinities are texts.
public final class RecordingCodec {
  private static final String FORMAT = "espalier-recording-2";

  /// Without the last line.
  private static final String OLDER_FORMAT = "espalier-recording-1";

  private final JsonMapper json =
      JsonMapper.builder()
          // A number that older recordings do not have is 0.
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .addModule(new DocumentModule())
          .build();

  /// The first line.
  private record Head(
      String format, String job, int policyVersion, JobSpec spec, ProgramDescriptor program) {
    boolean isKnown() {
      return FORMAT.equals(format) || OLDER_FORMAT.equals(format);
    }
  }

  /// Begins to write a recording.
  public RecordingWriter begin(
      String job, int policyVersion, JobSpec spec, ProgramDescriptor program, Writer out)
      throws IOException {
    var writer = new RecordingWriter(json, out);
    writer.line("job", new Head(FORMAT, job, policyVersion, spec, program));
    return writer;
  }

  /// Writes a recording.
  public void write(Recording recording, Writer out) throws IOException {
    RecordingWriter writer =
        begin(
            recording.job(), recording.policyVersion(), recording.spec(), recording.program(), out);
    for (SessionEvent event : recording.events()) {
      writer.event(event);
    }
    for (Decision decision : recording.decisions()) {
      writer.decision(decision);
    }
    writer.end();
  }

  /// Reads a recording.
  ///
  /// @param name of the source, for messages
  /// @throws EspalierException `INVALID_REQUEST` when it is none, with the line, or is cut off
  public Recording read(Reader in, String name) throws IOException {
    var lines = new BufferedReader(in);
    Optional<Head> head = Optional.empty();
    Optional<RecordingWriter.End> end = Optional.empty();
    var events = new ArrayList<SessionEvent>();
    var decisions = new ArrayList<Decision>();
    int number = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      number++;
      try {
        JsonNode document = json.readTree(line);
        if (document.has("job")) {
          head = Optional.of(json.treeToValue(document.get("job"), Head.class));
        } else if (document.has("event")) {
          events.add(json.treeToValue(document.get("event"), SessionEvent.class));
        } else if (document.has("decision")) {
          decisions.add(json.treeToValue(document.get("decision"), Decision.class));
        } else if (document.has("end")) {
          end = Optional.of(json.treeToValue(document.get("end"), RecordingWriter.End.class));
        }
      } catch (JacksonException failure) {
        throw broken(name, number, failure.getOriginalMessage());
      }
      if (head.filter(Head::isKnown).isEmpty()) {
        throw broken(name, number, "it does not begin with a line of the format " + FORMAT);
      }
    }
    Head known = head.orElseThrow(() -> broken(name, 1, "it is empty"));
    var found = new RecordingWriter.End(events.size(), decisions.size());
    if (known.format().equals(FORMAT) && end.filter(found::equals).isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          "%s is cut off: it has %d events and %d decisions, but %s"
              .formatted(
                  name,
                  found.events(),
                  found.decisions(),
                  end.map(said ->
                          "its last line says %d and %d".formatted(said.events(), said.decisions()))
                      .orElse("its last line, which counts them, is missing")));
    }
    return new Recording(
        known.job(),
        known.policyVersion(),
        known.spec(),
        known.program(),
        events,
        List.copyOf(decisions));
  }

  private static EspalierException broken(String name, int line, String why) {
    return new EspalierException(
        ErrorCode.INVALID_REQUEST, name + " line " + line + " is no recording of a job: " + why);
  }
}
