package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.memory.Page;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The pages that workers have read since their last push, pinned for rules that look back.
///
/// Not thread-safe; the shard guards it.
final class SeenPages {

  private record Key(int worker, int table, int page) {}

  private final Map<Key, Page> seen = new HashMap<>();

  /// Remembers a page a worker reads; the first read of a clock counts.
  void remember(int worker, int table, PageTable pages, int page) {
    seen.computeIfAbsent(
        new Key(worker, table, page),
        _ -> {
          Page current = pages.page(page);
          current.retain();
          return current;
        });
  }

  /// The page as the worker saw it, null when it has not read it or sees the current one.
  @Nullable Page find(int worker, int table, PageTable pages, int page) {
    Page found = seen.get(new Key(worker, table, page));
    return found == pages.page(page) ? null : found;
  }

  /// Unpins what a worker had seen.
  void forget(int worker) {
    seen.entrySet()
        .removeIf(e -> {
          if (e.getKey().worker() != worker) {
            return false;
          }
          e.getValue().release();
          return true;
        });
  }

  /// Unpins everything.
  void clear() {
    seen.values().forEach(Page::release);
    seen.clear();
  }
}
