package dev.espalier.ps.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class PagePoolTest {

  @Test
  void pagesAreAlignedAndComeBack() {
    MemoryBudget budget = new MemoryBudget(1 << 20);
    try (PagePools pools = new PagePools(budget)) {
      PagePool pool = pools.ofSize(4096);
      List<Page> pages = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Page page = pool.acquire();
        assertThat(page.segment().address() % 64).isZero();
        assertThat(page.segment().byteSize()).isEqualTo(4096);
        pages.add(page);
      }
      assertThat(pools.pagesInUse()).isEqualTo(100);
      assertThat(pools.bytesInUse()).isEqualTo(409_600);
      pages.forEach(Page::release);
      assertThat(pool.pagesInUse()).isZero();
      long used = budget.usedBytes();
      for (int i = 0; i < 100; i++) {
        pool.acquire();
      }
      assertThat(budget.usedBytes()).isEqualTo(used);
    }
  }

  @Test
  void stampsAreThoseOfTheTableWhereverItsPagesLie() {
    try (PagePools table = new PagePools(new MemoryBudget(1 << 20));
        PagePools elsewhere = new PagePools(new MemoryBudget(1 << 20))) {
      PagePool pool = table.ofSize(4096);
      Page moved = pool.acquire();
      Page stays = pool.acquire();
      assertThat(moved.trade(elsewhere.ofSize(4096).acquire())).isTrue();
      moved.touch(pool);
      stays.touch(pool);
      assertThat(moved.stamp()).isNotEqualTo(stays.stamp());
    }
  }

  @Test
  void pagesTakenTogetherAreThoseThatRoomWasMadeWith() throws Exception {
    try (PagePools pools = new PagePools(new MemoryBudget(3 * 4096))) {
      PagePool pool = pools.ofSize(4096);
      Page others = pool.acquire();
      List<Page> kept = pool.acquire(2);
      Thread another = new Thread(others::release);
      pool.keptBy(
          new PagePool.Keeper() {
            @Override
            public void born(Page page) {}

            @Override
            public void makeRoom(int count) {
              another.start();
              while (another.isAlive() && another.getState() != Thread.State.BLOCKED) {
                Thread.onSpinWait();
              }
              kept.forEach(Page::release);
            }
          });

      assertThat(pool.acquire(2)).containsExactlyInAnyOrderElementsOf(kept);

      another.join();
      assertThat(pool.acquire()).isSameAs(others);
    }
  }

  @Test
  void aFullBudgetIsReportedWithItsNumbers() {
    try (PagePools pools = new PagePools(new MemoryBudget(3 * 4096))) {
      PagePool pool = pools.ofSize(4096);
      pool.acquire();
      pool.reserve(2);
      assertThatThrownBy(() -> pool.reserve(5))
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.OUT_OF_MEMORY_BUDGET))
          .hasMessage(
              "12288 more bytes of pages are needed, but 12288 of 12288 bytes of the budget are taken");
      pool.acquire();
      pool.acquire();
      assertThatThrownBy(pool::acquire).isInstanceOf(PsException.class);
    }
  }

  /// One thread drops the last reference while another one, which makes room, wants to move the
  /// page.
  @Test
  @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aPageMayComeBackWhileRoomIsMade() throws InterruptedException {
    try (PagePools pools = new PagePools(new MemoryBudget(2 * 4096));
        PagePools others = new PagePools(new MemoryBudget(4096))) {
      PagePool pool = pools.ofSize(4096);
      Page page = pool.acquire();
      pool.acquire();
      Page elsewhere = others.ofSize(4096).acquire();
      Thread releases = new Thread(page::release);
      releases.setDaemon(true);
      var traded = new AtomicBoolean(true);
      pool.keptBy(
          new PagePool.Keeper() {
            @Override
            public void born(Page born) {}

            @Override
            public void makeRoom(int count) {
              releases.start();
              while (releases.getState() != Thread.State.BLOCKED) {
                Thread.onSpinWait();
              }
              traded.set(page.trade(elsewhere));
            }
          });
      assertThatThrownBy(pool::acquire).isInstanceOf(PsException.class);
      releases.join();
      assertThat(traded).isFalse();
      assertThat(pool.acquire()).isSameAs(page);
    }
  }

  @Test
  void aPinnedPageStaysWhereItLies() {
    try (PagePools pools = new PagePools(new MemoryBudget(1 << 20))) {
      Page page = pools.ofSize(4096).acquire();
      Page other = pools.ofSize(4096).acquire();
      long address = page.address();
      page.pin();
      assertThat(page.isPinned()).isTrue();
      assertThat(page.isShared()).isTrue();
      assertThat(page.trade(other)).isFalse();
      assertThat(page.address()).isEqualTo(address);
      page.unpin();
      assertThat(page.isPinned()).isFalse();
      assertThatThrownBy(page::unpin).hasMessage("page must have >= 1 pins but has 0");
      assertThat(page.trade(other)).isTrue();
      assertThat(other.address()).isEqualTo(address);
    }
  }

  @Test
  void referencesAreCounted() {
    try (PagePools pools = new PagePools(new MemoryBudget(1 << 20))) {
      Page page = pools.ofSize(4096).acquire();
      assertThat(page.isShared()).isFalse();
      page.retain();
      assertThat(page.isShared()).isTrue();
      page.release();
      page.release();
      assertThat(pools.pagesInUse()).isZero();
      assertThatThrownBy(page::release).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(page::retain).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void threadsMayTakeAndReturnPagesAtOnce() {
    try (PagePools pools = new PagePools(new MemoryBudget(1 << 20))) {
      PagePool pool = pools.ofSize(4096);
      Page common = pool.acquire();
      List<CompletableFuture<Void>> threads = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        threads.add(
            CompletableFuture.runAsync(() -> {
              for (int round = 0; round < 20_000; round++) {
                common.retain();
                Page own = pool.acquire();
                common.release();
                own.release();
              }
            }));
      }
      threads.forEach(CompletableFuture::join);
      assertThat(pool.pagesInUse()).isEqualTo(1);
      assertThat(common.isShared()).isFalse();
    }
  }
}
