package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.JobView;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// The jobs that stand still: what happens in them cannot be written down, or their workers cannot
/// be started. Kept in memory alone, as the database may be what fails.
public final class Stalls {
  private final Map<String, JobView.Stall> stalls = new ConcurrentHashMap<>();

  /// A job stands still, or still does.
  ///
  /// @param reason in words
  /// @return whether that is news
  public boolean put(String job, String reason, Instant now) {
    JobView.Stall before = stalls.get(job);
    Instant since = before == null ? now : before.since();
    var stall = new JobView.Stall(since, reason);
    return !stall.equals(stalls.put(job, stall));
  }

  /// A job goes on again, or has ended.
  ///
  /// @return whether that is news
  public boolean remove(String job) {
    return stalls.remove(job) != null;
  }

  public Optional<JobView.Stall> of(String job) {
    return Optional.ofNullable(stalls.get(job));
  }

  /// {@return all that there are, by job}
  public SortedMap<String, JobView.Stall> all() {
    return new TreeMap<>(stalls);
  }

  public int count() {
    return stalls.size();
  }
}
