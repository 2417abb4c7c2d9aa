package dev.espalier.ps.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Which page contents are on disk already, and where.
///
/// A page's content is known by the stamp of its last write, see
/// [dev.espalier.ps.memory.Page#stamp]. Not thread-safe.
final class PageCatalog {
  /// A file with pages; it may have several names, as hard links.
  static final class Pack {
    private final long number;
    private final Deque<Path> places = new ArrayDeque<>();

    /// @param number that no other pack of the shard has
    Pack(long number, Path place) {
      this.number = number;
      places.push(place);
    }

    long number() {
      return number;
    }

    /// Its names on disk, the newest first; some may be gone.
    List<Path> places() {
      return List.copyOf(places);
    }

    void add(Path place) {
      places.push(place);
    }

    void forget(Path place) {
      places.remove(place);
    }

    private boolean isDeleted() {
      places.removeIf(Files::notExists);
      return places.isEmpty();
    }
  }

  /// A page content on disk.
  record Place(Pack pack, long offset, long bytes, int crc) {}

  private final List<Map<Long, Place>> byTable = new ArrayList<>();

  PageCatalog(int tables) {
    for (int i = 0; i < tables; i++) {
      byTable.add(new HashMap<>());
    }
  }

  Optional<Place> find(int table, long stamp) {
    return Optional.ofNullable(byTable.get(table).get(stamp));
  }

  void put(int table, long stamp, Place place) {
    byTable.get(table).put(stamp, place);
  }

  /// Forgets what lies in a pack that is gone.
  void forget(Pack pack) {
    byTable.forEach(places -> places.values().removeIf(place -> place.pack() == pack));
  }

  /// Forgets what lies in packs that are gone under all of their names.
  void forgetDeleted() {
    Set<Pack> gone =
        byTable.stream()
            .flatMap(places -> places.values().stream())
            .map(Place::pack)
            .distinct()
            .filter(Pack::isDeleted)
            .collect(Collectors.toSet());
    byTable.forEach(places -> places.values().removeIf(place -> gone.contains(place.pack())));
  }

  /// Number of page contents known.
  int size() {
    return byTable.stream().mapToInt(Map::size).sum();
  }
}
