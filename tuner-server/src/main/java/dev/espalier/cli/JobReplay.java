package dev.espalier.cli;

import dev.espalier.api.model.EspalierException;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.FileAside;
import dev.espalier.cli.client.Json;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.replay.Recording;
import dev.espalier.tuner.replay.RecordingCodec;
import dev.espalier.tuner.replay.Replay;
import dev.espalier.tuner.replay.Replay.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `espalier job replay`, once the recording is there.
final class JobReplay {
  private JobReplay() {}

  /// {@return the recording of a job, or of a file}
  ///
  /// @param job a file, or what [Invocation#jobId] takes
  /// @param save where to keep it too
  static Recording recording(String job, Optional<Path> save, Invocation invocation) {
    Path file = Path.of(job);
    if (Files.isRegularFile(file)) {
      save.ifPresent(copy -> copy(file, copy));
      return read(file, job);
    }
    // What is saved may be no file that can be read again, but a pipe, say.
    Path aside = temporary();
    try {
      // A long job's recording is larger than the memory that it should take.
      invocation.client().download(invocation.jobPath(job) + "/recording", aside);
      save.ifPresent(copy -> copy(aside, copy));
      return read(aside, job);
    } finally {
      remove(aside);
    }
  }

  private static void copy(Path file, Path copy) {
    try {
      if (!(Files.exists(copy) && Files.isSameFile(file, copy))) {
        FileAside.write(
            copy, aside -> Files.copy(file, aside, StandardCopyOption.REPLACE_EXISTING));
      }
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.INTERNAL, copy + " cannot be written: " + e.getMessage(), e);
    }
  }

  private static Path temporary() {
    try {
      return Files.createTempFile("espalier-", ".ndjson");
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.INTERNAL, "no temporary file can be written: " + e.getMessage(), e);
    }
  }

  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // It lies among other temporary files, and goes with them.
    }
  }

  private static Recording read(Path file, String name) {
    try (var text = Files.newBufferedReader(file)) {
      return new RecordingCodec().read(text, name);
    } catch (EspalierException broken) {
      throw new CommandFailure(ExitStatus.USAGE, String.valueOf(broken.getMessage()), broken);
    } catch (IOException e) {
      throw new CommandFailure(ExitStatus.INTERNAL, name + " cannot be read", e);
    }
  }

  /// @param shown how many differences to show at most, >= 1
  static int show(Replay replay, int shown, Invocation invocation) {
    invocation.show(Json.tree(document(replay, shown)), () -> lines(replay, shown));
    return (replay.isSame() ? ExitStatus.OK : ExitStatus.DIFFERENT).code();
  }

  private static List<String> lines(Replay replay, int shown) {
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
    lines.add(
        count(replay.differences().size(), "decision")
            + " of "
            + replay.recorded()
            + " recorded and "
            + replay.replayed()
            + " now differ: "
            + replay.count(Kind.CHANGED)
            + " changed, "
            + replay.count(Kind.MISSING)
            + " not taken now, "
            + replay.count(Kind.ADDED)
            + " new.");
    Replay.Difference first = replay.differences().getFirst();
    lines.add("");
    lines.add(inWords(first) + ":");
    lines.addAll(side("recorded", first.recorded(), first.parts()));
    lines.addAll(side("now", first.replayed(), first.parts()));
    List<Replay.Difference> others =
        replay.differences().subList(1, Math.min(shown, replay.differences().size()));
    if (!others.isEmpty()) {
      lines.add("");
    }
    others.forEach(difference -> lines.add(inWords(difference) + brief(difference)));
    int left = replay.differences().size() - 1 - others.size();
    if (left > 0) {
      lines.add("... and " + left + " more; --differences N shows more of them.");
    }
    return lines;
  }

  private static String inWords(Replay.Difference difference) {
    return switch (difference.kind()) {
      case CHANGED ->
          "Decision "
              + difference.position()
              + ", "
              + difference.key()
              + ", differs in "
              + String.join(", ", difference.parts());
      case MISSING ->
          "Decision " + difference.position() + ", " + difference.key() + ", is not taken now";
      case ADDED -> "Decision " + difference.key() + " is new, as number " + difference.position();
    };
  }

  private static String brief(Replay.Difference difference) {
    return switch (difference.kind()) {
      case CHANGED ->
          difference.parts().contains("outcome")
              ? ": " + outcome(difference.recorded()) + " -> " + outcome(difference.replayed())
              : "";
      case MISSING -> ": " + outcome(difference.recorded());
      case ADDED -> ": " + outcome(difference.replayed());
    };
  }

  private static String outcome(Optional<Decision> decision) {
    return decision.map(Decision::outcome).orElse("");
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

  private static Map<String, Object> document(Replay replay, int shown) {
    var document = new LinkedHashMap<String, Object>();
    document.put("job", replay.job());
    document.put("policy", replay.policy());
    document.put("recordedVersion", replay.recordedVersion());
    document.put("version", replay.version());
    document.put("events", replay.events());
    document.put("recorded", replay.recorded());
    document.put("replayed", replay.replayed());
    document.put("same", replay.isSame());
    document.put("changed", replay.count(Kind.CHANGED));
    document.put("missing", replay.count(Kind.MISSING));
    document.put("added", replay.count(Kind.ADDED));
    document.put(
        "differences", replay.differences().stream().limit(shown).map(JobReplay::entry).toList());
    return document;
  }

  private static Map<String, Object> entry(Replay.Difference difference) {
    var entry = new LinkedHashMap<String, Object>();
    entry.put("kind", difference.kind().name());
    entry.put("position", difference.position());
    entry.put("key", difference.key());
    entry.put("parts", difference.parts());
    difference.recorded().ifPresent(decision -> entry.put("recorded", decision));
    difference.replayed().ifPresent(decision -> entry.put("replayed", decision));
    return entry;
  }
}
