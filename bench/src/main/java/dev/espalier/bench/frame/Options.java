package dev.espalier.bench.frame;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/// What the command line asks for.
///
/// @param parts which parts of the suite to measure; all when empty
record Options(
    Suite suite,
    boolean isQuick,
    List<String> parts,
    Optional<Path> json,
    Optional<Path> markdown) {

  /// {@return the help for these suites}
  static String usage(List<Suite> suites) {
    var text = new StringBuilder();
    text.append(
        """
        Usage: espalier bench SUITE [--part PART]... [--quick] [--out FILE.json] [--markdown FILE.md]

        Measures this machine and prints each figure beside what it is compared to.

        """);
    for (Suite suite : suites) {
      text.append("  %-17s %s%n".formatted(suite.name(), suite.about()));
      if (suite.partNames().size() > 1) {
        text.append("  %-17s parts: %s%n".formatted("", String.join(", ", suite.partNames())));
      }
    }
    text.append(
        """
          tuning            tuning policies against each other; see espalier bench tuning --help
          neural            engines of neural networks; see espalier bench neural --help
          dashboard         the page in Chromium; see espalier bench dashboard --help
          jmh               microbenchmarks; what follows goes to JMH

          --part PART       measures only this part of the suite; may be repeated
          --quick           small and short: whether it works, not how fast
          --out FILE.json   also writes figures and machine as JSON; parts not measured stay
          --markdown FILE   also puts each part's table between its markers in a document

        ps --part programs also measures what others have written, where it is found:
        liblinear-train on the PATH (apt-get install liblinear-tools) and LIBMF's library,
        libmf.so, on the LD_LIBRARY_PATH (npm pack libmf; folder package/vendor of the archive).
        Otherwise their figures are of another day.
        """);
    return text.toString();
  }

  /// @throws IllegalArgumentException that says what is wrong with the arguments
  static Options parse(List<Suite> suites, List<String> arguments) {
    Suite suite = suite(suites, arguments);
    boolean isQuick = false;
    var parts = new ArrayList<String>();
    Optional<Path> json = Optional.empty();
    Optional<Path> markdown = Optional.empty();
    Iterator<String> rest = arguments.listIterator(1);
    while (rest.hasNext()) {
      String option = rest.next();
      switch (option) {
        case "--quick" -> isQuick = true;
        case "--part" -> parts.add(part(suite, value(option, rest)));
        case "--out" -> json = Optional.of(Path.of(value(option, rest)));
        case "--markdown" -> markdown = Optional.of(Path.of(value(option, rest)));
        default -> throw new IllegalArgumentException("there is no option " + option);
      }
    }
    return new Options(suite, isQuick, List.copyOf(parts), json, markdown);
  }

  private static Suite suite(List<Suite> suites, List<String> arguments) {
    String name = arguments.isEmpty() ? "missing" : arguments.getFirst();
    return suites.stream()
        .filter(suite -> suite.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "the suite must be one of %s but is %s"
                    .formatted(suites.stream().map(Suite::name).toList(), name)));
  }

  private static String part(Suite suite, String name) {
    if (!suite.partNames().contains(name)) {
      throw new IllegalArgumentException(
          "--part must be one of %s but is %s".formatted(suite.partNames(), name));
    }
    return name;
  }

  private static String value(String option, Iterator<String> rest) {
    if (!rest.hasNext()) {
      throw new IllegalArgumentException(option + " needs a value");
    }
    return rest.next();
  }

  /// {@return whether a part is asked for}
  boolean wants(Suite.Part part) {
    return parts.isEmpty() || parts.contains(part.name());
  }

  /// {@return the command that measures a part as these options say}
  String command(Suite.Part part) {
    boolean isOnlyPart = suite.partNames().size() == 1;
    return "./espalier bench "
        + suite.name()
        + (isOnlyPart ? "" : " --part " + part.name())
        + (isQuick ? " --quick" : "");
  }
}
