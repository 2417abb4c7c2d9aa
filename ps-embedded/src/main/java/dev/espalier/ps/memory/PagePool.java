package dev.espalier.ps.memory;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Pages of one size.
///
/// The pool grows in slabs, within a [MemoryBudget], and keeps the pages that come back. Pages are
/// handed out with one reference and with whatever content they had. Thread-safe.
public final class PagePool {
  private static final System.Logger LOG = System.getLogger(PagePool.class.getName());
  private static final int MAX_SLAB_PAGES = 32;
  private static final Keeper NOBODY =
      new Keeper() {
        @Override
        public void born(Page page) {}

        @Override
        public void makeRoom(int count) {}
      };

  private final MemoryTier tier;
  private final MemoryBudget budget;
  private final long pageBytes;
  private final long slabPages;
  private final boolean keepsAsking;
  private final Deque<Page> free = new ArrayDeque<>();
  private Keeper keeper = NOBODY;
  private boolean wasRefused;
  private long pagesInUse;
  private long lastStamp;
  private long stampedUpTo;

  /// Told of the pages of a pool, and asked for some when its budget is used up.
  public interface Keeper {

    /// A page was handed out.
    void born(Page page);

    /// Gives pages back to the pool, if it can, until `count` are there.
    void makeRoom(int count);
  }

  /// Creates an empty pool.
  ///
  /// @param tier where the memory comes from
  /// @param budget what bounds it
  /// @param pageBytes size of a page, a positive multiple of 64
  public PagePool(MemoryTier tier, MemoryBudget budget, long pageBytes) {
    this(tier, budget, pageBytes, PagePools.SLAB_BYTES, false);
  }

  /// Creates an empty pool.
  ///
  /// @param tier where the memory comes from
  /// @param budget what bounds it
  /// @param pageBytes size of a page, a positive multiple of 64
  /// @param slabBytes how much it grows at once, as long as the budget has it; a page at least
  /// @param keepsAsking whether memory that was refused is asked for again when it is needed again;
  ///   else the budget is what there was when it was refused
  PagePool(
      MemoryTier tier, MemoryBudget budget, long pageBytes, long slabBytes, boolean keepsAsking) {
    if (pageBytes < 1 || pageBytes % HostTier.ALIGNMENT_BYTES != 0) {
      throw new IllegalArgumentException(
          "pageBytes must be a positive multiple of 64 but is " + pageBytes);
    }
    this.tier = tier;
    this.budget = budget;
    this.pageBytes = pageBytes;
    this.keepsAsking = keepsAsking;
    slabPages = Math.clamp(slabBytes / pageBytes, 1, MAX_SLAB_PAGES);
  }

  /// Hands out a page with one reference and undefined content.
  ///
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when there is none
  public synchronized Page acquire() {
    reserve(1);
    return handOut();
  }

  /// Hands out pages with one reference each and undefined content, all at once: those that the
  /// keeper made room with are among them, whoever gives pages back meanwhile.
  ///
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when there are not as many,
  ///   and none is handed out then
  public synchronized List<Page> acquire(int count) {
    reserve(count);
    return handOut(count);
  }

  /// Hands out pages with one reference each and undefined content, if there are as many.
  ///
  /// @return none when there are not
  public synchronized List<Page> tryAcquire(int count) {
    return tryReserve(count) ? handOut(count) : List.of();
  }

  private List<Page> handOut(int count) {
    List<Page> pages = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      pages.add(handOut());
    }
    return pages;
  }

  private Page handOut() {
    Page page = free.pop();
    page.adopt();
    pagesInUse++;
    keeper.born(page);
    return page;
  }

  /// Makes sure that the next `count` calls of [#acquire] by the caller succeed, if nobody else
  /// acquires in between.
  ///
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when they would not
  public synchronized void reserve(int count) {
    if (!tryReserve(count)) {
      throw budget.exceeded((count - free.size()) * pageBytes);
    }
  }

  /// Makes sure that the next `count` calls of [#acquire] by the caller succeed, if nobody else
  /// acquires in between.
  ///
  /// @return false when they would not
  public synchronized boolean tryReserve(int count) {
    while (free.size() < count) {
      int missing = count - free.size();
      if (!grow()) {
        keeper.makeRoom(count);
        if (count - free.size() == missing) {
          return false;
        }
      }
    }
    return true;
  }

  private boolean grow() {
    return growBy(slabPages) || (slabPages > 1 && growBy(1));
  }

  /// Takes memory for more pages; where there is less than the budget allows, says so once, and
  /// lowers the budget unless it may be there another time.
  private boolean growBy(long pages) {
    long bytes = pages * pageBytes;
    if (!budget.tryTake(bytes)) {
      return false;
    }
    MemorySegment slab;
    try {
      slab = tier.allocate(bytes);
    } catch (PsException e) {
      budget.giveBack(bytes);
      if (e.fault() != PsFault.OUT_OF_MEMORY_BUDGET) {
        throw e;
      }
      if (pages == 1) {
        refused(bytes, e);
      }
      return false;
    } catch (RuntimeException e) {
      budget.giveBack(bytes);
      throw e;
    }
    for (long i = 0; i < pages; i++) {
      free.add(new Page(tier.slice(slab, i * pageBytes, pageBytes), this));
    }
    return true;
  }

  private void refused(long bytes, PsException reason) {
    if (!wasRefused) {
      wasRefused = true;
      LOG.log(
          System.Logger.Level.WARNING,
          "pages={0} bytes={1} budget={2} refused={3} reason={4}",
          tier.kind(),
          Long.toString(budget.usedBytes()),
          Long.toString(budget.limitBytes()),
          Long.toString(bytes),
          reason.getMessage());
    }
    if (!keepsAsking) {
      budget.lower(bytes, reason);
    }
  }

  /// The keeper of a pool that has none.
  public static Keeper nobody() {
    return NOBODY;
  }

  /// Names who keeps the pages.
  public synchronized void keptBy(Keeper newKeeper) {
    keeper = newKeeper;
  }

  /// From now on a write gives a page a new stamp, so that those it has now mean what they mean
  /// now.
  ///
  /// Called by the owner of the pool, as [#acquire] is.
  public void sealStamps() {
    stampedUpTo = lastStamp;
  }

  long stampedUpTo() {
    return stampedUpTo;
  }

  long nextStamp() {
    return ++lastStamp;
  }

  synchronized void giveBack(Page page) {
    pagesInUse--;
    free.push(page);
  }

  /// Pages handed out and not come back.
  public synchronized long pagesInUse() {
    return pagesInUse;
  }

  /// Pages that [#acquire] would give one after the other, if nobody else takes of the budget.
  public synchronized long availablePages() {
    return free.size() + (budget.limitBytes() - budget.usedBytes()) / pageBytes;
  }

  /// Pages handed out and those that [#acquire] would still give: all there can be, as far as is
  /// known, if nobody else takes of the budget.
  public synchronized long allPages() {
    return pagesInUse + availablePages();
  }

  /// Where the pages lie.
  public MemoryTier tier() {
    return tier;
  }

  /// Size of a page in bytes.
  public long pageBytes() {
    return pageBytes;
  }
}
