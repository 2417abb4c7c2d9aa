package dev.espalier.cli;

import dev.espalier.tuner.boot.Doctor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// `espalier doctor`.
@Command(
    name = "doctor",
    description = {
      "Says what this machine offers, what Espalier will use of it, and why.",
      "Looks at processor, memory, disk, Java, database, GPUs and libraries; measures for about"
          + " three",
      "seconds; needs no server."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  espalier doctor", "  espalier doctor --json"})
final class DoctorCommand implements Callable<Integer> {
  private final Invocation invocation;

  @Option(names = "--json", description = "The same as -o json.")
  boolean json;

  DoctorCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    if (json) {
      invocation.options().output = GlobalOptions.OutputFormat.JSON;
    }
    JsonNode report = Doctor.examine(invocation.home(), invocation.environment());
    return invocation.show(report, () -> lines(report));
  }

  /// {@return a paragraph for each section}
  static List<String> lines(JsonNode report) {
    var lines = new ArrayList<String>();
    for (Map.Entry<String, JsonNode> section : report.properties()) {
      lines.add(section.getKey());
      if (section.getValue().isArray()) {
        section.getValue().forEach(sentence -> lines.add("  " + sentence.asString()));
      } else {
        section.getValue().properties().forEach(entry -> add(lines, entry));
      }
    }
    return lines;
  }

  private static void add(List<String> lines, Map.Entry<String, JsonNode> entry) {
    String label = "  %-28s".formatted(words(entry.getKey()));
    if (!entry.getValue().isArray()) {
      lines.add(label + entry.getValue().asString());
    } else if (entry.getValue().isEmpty()) {
      lines.add(label + "none");
    } else {
      for (JsonNode item : entry.getValue()) {
        var parts = new ArrayList<String>();
        item.properties()
            .forEach(part -> parts.add(words(part.getKey()) + " " + part.getValue().asString()));
        lines.add(label + String.join(", ", parts));
      }
    }
  }

  /// `freeGibibytes` as `free gibibytes`.
  private static String words(String key) {
    return key.replaceAll("([A-Z])", " $1").toLowerCase(java.util.Locale.ROOT);
  }
}
