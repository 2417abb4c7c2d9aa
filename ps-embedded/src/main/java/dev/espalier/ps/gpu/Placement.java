package dev.espalier.ps.gpu;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Which pages stay on the device while a plan is gone through again and again, and which pass
/// through it.
///
/// Source: GeePS (Cui et al. 2016) §4.3 keeps room for twice the largest visit, so that the next
/// one arrives while one is worked on, and keeps on the device what fits beside it. We keep room
/// for three, because a written visit also leaves, at the same time, on a stream of its own; and we
/// spread the pages that stay evenly over the visits, so that no visit has more to move than its
/// own work can hide.
final class Placement {
  private static final int VISITS_AT_ONCE = 3;

  private record Place(int table, int page) {}

  private final Set<Place> residents = new HashSet<>();
  private final int pages;
  private final int largestVisit;

  /// Places the pages of a plan.
  ///
  /// @param plan the visits of one round
  /// @param devicePages pages that the device may hold
  /// @throws IllegalArgumentException when the largest visit alone is more
  Placement(List<PageVisit> plan, long devicePages) {
    largestVisit = plan.stream().mapToInt(PageVisit::pages).max().orElse(0);
    if (largestVisit > devicePages) {
      throw new IllegalArgumentException(
          "pages of a visit must be <= %d, which the device's budget holds, but are %d"
              .formatted(devicePages, largestVisit));
    }
    Set<Place> all = new HashSet<>();
    plan.forEach(visit -> {
      for (int page = visit.firstPage(); page < visit.endPage(); page++) {
        all.add(new Place(visit.table(), page));
      }
    });
    pages = all.size();
    long room =
        pages <= devicePages
            ? pages
            : Math.max(0, devicePages - (long) VISITS_AT_ONCE * largestVisit);
    spread(plan, room);
  }

  private void spread(List<PageVisit> plan, long room) {
    Set<Place> seen = new HashSet<>();
    for (PageVisit visit : plan) {
      for (int page = visit.firstPage(); page < visit.endPage(); page++) {
        Place place = new Place(visit.table(), page);
        if (seen.add(place) && seen.size() * room / pages > (seen.size() - 1) * room / pages) {
          residents.add(place);
        }
      }
    }
  }

  boolean staysOnDevice(int table, int page) {
    return residents.contains(new Place(table, page));
  }

  /// Pages that stay.
  int residentPages() {
    return residents.size();
  }

  /// Pages of the plan.
  int pages() {
    return pages;
  }
}
