package dev.espalier.cli;

import dev.espalier.api.model.EspalierException;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.replay.Recording;
import dev.espalier.tuner.replay.RecordingCodec;
import dev.espalier.tuner.replay.Replay;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `espalier job replay`, once the recording is there.
final class JobReplay {
  private JobReplay() {}

  static Recording read(String text, String name) {
    try {
      return new RecordingCodec().read(new StringReader(text), name);
    } catch (EspalierException broken) {
      throw new CommandFailure(ExitStatus.USAGE, String.valueOf(broken.getMessage()), broken);
    } catch (IOException e) {
      throw new CommandFailure(ExitStatus.INTERNAL, name + " cannot be read", e);
    }
  }

  static int show(Replay replay, Invocation invocation) {
    invocation.show(Json.tree(document(replay)), () -> lines(replay));
    return (replay.isSame() ? ExitStatus.OK : ExitStatus.DIFFERENT).code();
  }

  private static List<String> lines(Replay replay) {
    var lines = new ArrayList<String>();
    versions(replay).ifPresent(lines::add);
    if (replay.isSame()) {
      lines.add(
          "Same "
              + count(replay.recorded(), "decision")
              + " from "
              + count(replay.events(), "event")
              + " of "
              + replay.job()
              + " with policy "
              + replay.policy()
              + ".");
      return lines;
    }
    Replay.Difference difference = replay.difference().orElseThrow();
    lines.add(
        "Decision "
            + difference.position()
            + " differs in "
            + String.join(", ", difference.parts())
            + " ("
            + replay.recorded()
            + " recorded, "
            + replay.replayed()
            + " now).");
    lines.addAll(side("recorded", difference.recorded(), difference.parts()));
    lines.addAll(side("now", difference.replayed(), difference.parts()));
    return lines;
  }

  /// {@return what to know of the versions of recording and policy; empty when they are the same}
  private static Optional<String> versions(Replay replay) {
    if (replay.recordedVersion() == replay.version()) {
      return Optional.empty();
    }
    return Optional.of(
        replay.recordedVersion() == 0
            ? "The recording does not say which version of the policy decided; version "
                + replay.version()
                + " is asked now."
            : "Version "
                + replay.recordedVersion()
                + " of the policy decided, and version "
                + replay.version()
                + " is asked now: different decisions are expected.");
  }

  private static List<String> side(String name, Optional<Decision> decision, List<String> parts) {
    if (decision.isEmpty()) {
      return List.of("", name + ": no decision");
    }
    var lines = new ArrayList<String>();
    lines.add("");
    lines.add(name + ": " + decision.get().key() + " (" + decision.get().rule() + ")");
    lines.add("  " + decision.get().outcome());
    decision
        .get()
        .evidence()
        .forEach((what, value) ->
            lines.add((parts.contains("evidence." + what) ? "* " : "  ") + what + ": " + value));
    return lines;
  }

  private static String count(int count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }

  private static Map<String, Object> document(Replay replay) {
    var document = new LinkedHashMap<String, Object>();
    document.put("job", replay.job());
    document.put("policy", replay.policy());
    document.put("recordedVersion", replay.recordedVersion());
    document.put("version", replay.version());
    document.put("events", replay.events());
    document.put("recorded", replay.recorded());
    document.put("replayed", replay.replayed());
    document.put("same", replay.isSame());
    replay
        .difference()
        .ifPresent(difference -> {
          var shown = new LinkedHashMap<String, Object>();
          shown.put("position", difference.position());
          shown.put("parts", difference.parts());
          difference.recorded().ifPresent(decision -> shown.put("recorded", decision));
          difference.replayed().ifPresent(decision -> shown.put("replayed", decision));
          document.put("difference", shown);
        });
    return document;
  }
}
