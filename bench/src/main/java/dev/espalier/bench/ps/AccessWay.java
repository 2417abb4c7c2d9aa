package dev.espalier.bench.ps;

import dev.espalier.ps.plan.PlanOptions;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A way to a program's rows.
enum AccessWay {
  ALL("all optimisations", PlanOptions.all()),
  UNPACKED("without packing rows", PlanOptions.all().withoutPacking()),
  HASHED("without static slots", PlanOptions.all().withoutSlots()),
  NOT_AHEAD("without prefetching", PlanOptions.all().withoutPrefetching()),
  NOT_COMBINED("without combining updates", PlanOptions.all().withoutCombining()),
  NO_PLAN("no plan: a request for each read", null),
  KEY_VALUE("key-value store", null),
  ARRAYS("the program on plain arrays", null);

  private final String title;
  private final @Nullable PlanOptions options;

  AccessWay(String title, @Nullable PlanOptions options) {
    this.title = title;
    this.options = options;
  }

  String title() {
    return title;
  }

  /// The plan's; empty where there is no plan.
  Optional<PlanOptions> options() {
    return Optional.ofNullable(options);
  }

  /// Whether it makes a difference to so many workers.
  boolean isFor(int workers) {
    return switch (this) {
      case NOT_AHEAD -> workers > 1;
      case ARRAYS -> workers == 1;
      default -> true;
    };
  }
}
