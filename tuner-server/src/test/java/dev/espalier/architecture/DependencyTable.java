package dev.espalier.architecture;

import static java.util.stream.Collectors.toCollection;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// `dependencies.txt`, read: each package of Espalier with the packages it may import.
///
/// @param allowed full package names to the full names of what they may import, themselves left out
record DependencyTable(SortedMap<String, Set<String>> allowed) {
  static final String ROOT = "dev.espalier.";

  private static final String FILE_NAME = "dependencies.txt";

  /// Reads the table of the repository that this test runs in.
  static DependencyTable read() throws IOException {
    SortedMap<String, Set<String>> allowed = new TreeMap<>();
    Path file = find();
    for (String line : Files.readAllLines(file)) {
      String text = line.replaceFirst("#.*", "").strip();
      if (text.isEmpty()) {
        continue;
      }
      String[] sides = text.split("->", -1);
      if (sides.length != 2) {
        throw new IOException(file + ": a line must be 'package -> packages' but is: " + line);
      }
      Set<String> imports =
          Arrays.stream(sides[1].strip().split("\\s+"))
              .filter(name -> !name.isEmpty())
              .map(ROOT::concat)
              .collect(toCollection(TreeSet::new));
      if (allowed.put(ROOT + sides[0].strip(), imports) != null) {
        throw new IOException(file + ": two lines for package " + sides[0].strip());
      }
    }
    return new DependencyTable(allowed);
  }

  boolean hasLine(String packageName) {
    return allowed.containsKey(packageName);
  }

  boolean allows(String from, String to) {
    return from.equals(to) || allowed.getOrDefault(from, Set.of()).contains(to);
  }

  /// Packages that stand on the right of some line but have no line of their own.
  Set<String> importedWithoutLine() {
    Set<String> missing = new TreeSet<>();
    allowed.values().forEach(missing::addAll);
    missing.removeAll(allowed.keySet());
    return missing;
  }

  private static Path find() throws IOException {
    Path start = Path.of("").toAbsolutePath();
    for (Path folder = start; folder != null; folder = folder.getParent()) {
      if (Files.isRegularFile(folder.resolve(FILE_NAME))) {
        return folder.resolve(FILE_NAME);
      }
    }
    throw new IOException("no " + FILE_NAME + " in " + start + " or above it");
  }
}
