package dev.espalier.ps.memory;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The pools of all page sizes, which share one tier and one budget.
///
/// Thread-safe.
public final class PagePools implements AutoCloseable {
  /// How much a pool grows at once where nothing else is said.
  static final long SLAB_BYTES = 8L << 20;

  private final MemoryTier tier;
  private final MemoryBudget budget;
  private final long slabBytes;
  private final boolean keepsAsking;
  private final Map<Long, PagePool> pools = new ConcurrentHashMap<>();

  /// Creates pools of host memory within a budget.
  public PagePools(MemoryBudget budget) {
    this(new HostTier(), budget);
  }

  /// Creates pools within a budget.
  ///
  /// @param tier where the memory comes from; closed with the pools
  /// @param budget what bounds them
  public PagePools(MemoryTier tier, MemoryBudget budget) {
    this(tier, budget, SLAB_BYTES, false);
  }

  private PagePools(MemoryTier tier, MemoryBudget budget, long slabBytes, boolean keepsAsking) {
    this.tier = tier;
    this.budget = budget;
    this.slabBytes = slabBytes;
    this.keepsAsking = keepsAsking;
  }

  /// Creates pools of many sizes that grow by single pages, so that none keeps what another needs.
  /// Memory that others took, and so was refused, is asked for again each time it is needed.
  ///
  /// @param tier where the memory comes from; closed with the pools
  /// @param budget what bounds them
  public static PagePools ofSinglePages(MemoryTier tier, MemoryBudget budget) {
    return new PagePools(tier, budget, 1, true);
  }

  /// The pool of a page size.
  public PagePool ofSize(long pageBytes) {
    return pools.computeIfAbsent(
        pageBytes, bytes -> new PagePool(tier, budget, bytes, slabBytes, keepsAsking));
  }

  /// Pages handed out by all pools.
  public long pagesInUse() {
    return pools.values().stream().mapToLong(PagePool::pagesInUse).sum();
  }

  /// Bytes of the pages handed out by all pools.
  public long bytesInUse() {
    return pools.values().stream().mapToLong(p -> p.pagesInUse() * p.pageBytes()).sum();
  }

  /// Where the pages lie.
  public MemoryTier tier() {
    return tier;
  }

  /// The budget.
  public MemoryBudget budget() {
    return budget;
  }

  /// Frees all pages, in use or not.
  @Override
  public void close() {
    tier.close();
  }
}
