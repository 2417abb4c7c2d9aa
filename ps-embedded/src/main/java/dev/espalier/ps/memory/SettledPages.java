package dev.espalier.ps.memory;

import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/// Pages that nobody writes while they are read, such as those of a snapshot, although others may
/// move them about.
///
/// What is on its way to them is waited for once, and again only for a page that has moved since:
/// work that is queued later neither waits for the reader nor is waited for. Not thread-safe.
public final class SettledPages {
  private final Map<Page, Integer> trades = new IdentityHashMap<>();

  /// Waits for what is on its way to these pages; the caller holds none of their locks.
  public SettledPages(Collection<Page> pages) {
    Set<MemoryTier> tiers = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Page page : pages) {
      // In this order: a page that moves in between is seen to have moved.
      trades.put(page, page.trades());
      tiers.add(page.tier());
    }
    tiers.forEach(MemoryTier::awaitMoves);
  }

  /// Copies bytes to memory of the host.
  ///
  /// @param offset of the first byte in the page
  /// @param to memory of the host; its size says how much is copied
  public void download(Page page, long offset, MemorySegment to) {
    Integer seen = trades.get(page);
    if (seen == null || !page.downloadUnmoved(seen, offset, to)) {
      page.download(offset, to);
    }
  }
}
