package dev.espalier.tuner.persistence;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.TreeMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.module.SimpleModule;

/// How the words of the system look in JSON: sealed types by a `type` field, a setting as an object
/// of its values, a branch as its number.
///
/// Renaming a name here breaks logs that were written before; add, never rename.
public final class DocumentModule extends SimpleModule {
  private static final long serialVersionUID = 1L;

  /// Makes the module.
  @SuppressWarnings("this-escape")
  public DocumentModule() {
    super("espalier-documents");
    setMixInAnnotation(SessionEvent.class, EventTypes.class);
    setMixInAnnotation(SessionEvent.UserRequest.class, RequestTypes.class);
    setMixInAnnotation(Tunable.class, TunableTypes.class);
    addSerializer(BranchId.class, new BranchIdWriter());
    addDeserializer(BranchId.class, new BranchIdReader());
    addSerializer(Setting.class, new SettingWriter());
    addDeserializer(Setting.class, new SettingReader());
  }

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = SessionEvent.WorkersReady.class, name = "workers-ready"),
    @JsonSubTypes.Type(value = SessionEvent.Progressed.class, name = "progressed"),
    @JsonSubTypes.Type(value = SessionEvent.Evaluated.class, name = "evaluated"),
    @JsonSubTypes.Type(value = SessionEvent.CheckpointWritten.class, name = "checkpoint-written"),
    @JsonSubTypes.Type(value = SessionEvent.CheckpointFailed.class, name = "checkpoint-failed"),
    @JsonSubTypes.Type(value = SessionEvent.WorkersLost.class, name = "workers-lost"),
    @JsonSubTypes.Type(value = SessionEvent.ProgramFailed.class, name = "program-failed"),
    @JsonSubTypes.Type(value = SessionEvent.Requested.class, name = "requested")
  })
  private interface EventTypes {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Pause.class, name = "pause"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Resume.class, name = "resume"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Cancel.class, name = "cancel"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Kill.class, name = "kill"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Retune.class, name = "retune"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Try.class, name = "try"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Keep.class, name = "keep"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Discard.class, name = "discard"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Restore.class, name = "restore"),
    @JsonSubTypes.Type(value = SessionEvent.UserRequest.Pin.class, name = "pin")
  })
  private interface RequestTypes {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = Tunable.LogRange.class, name = "log"),
    @JsonSubTypes.Type(value = Tunable.LinearRange.class, name = "linear"),
    @JsonSubTypes.Type(value = Tunable.Choice.class, name = "choice")
  })
  private interface TunableTypes {}

  private static final class BranchIdWriter extends ValueSerializer<BranchId> {
    @Override
    public void serialize(BranchId value, JsonGenerator out, SerializationContext context) {
      out.writeNumber(value.number());
    }
  }

  private static final class BranchIdReader extends ValueDeserializer<BranchId> {
    @Override
    public BranchId deserialize(JsonParser in, DeserializationContext context) {
      return new BranchId(in.getIntValue());
    }
  }

  private static final class SettingWriter extends ValueSerializer<Setting> {
    @Override
    public void serialize(Setting value, JsonGenerator out, SerializationContext context) {
      context.writeValue(out, value.values());
    }
  }

  private static final class SettingReader extends ValueDeserializer<Setting> {
    @Override
    public Setting deserialize(JsonParser in, DeserializationContext context) {
      var type =
          context.getTypeFactory().constructMapType(TreeMap.class, String.class, Double.class);
      TreeMap<String, Double> values = context.readValue(in, type);
      return new Setting(values);
    }
  }
}
