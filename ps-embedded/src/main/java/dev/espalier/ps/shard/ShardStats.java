package dev.espalier.ps.shard;

import java.util.Optional;

/// What a shard has done and holds.
///
/// @param branches living branches
/// @param pagesInUse pages referenced by branches, snapshots and pinned reads
/// @param bytesInUse bytes of those pages
/// @param budgetUsedBytes bytes of all pages ever allocated, in use or pooled
/// @param budgetLimitBytes bytes allowed
/// @param forks forks so far
/// @param forkNanos nanoseconds spent in forks so far
/// @param clocksApplied optimizer clocks applied so far
/// @param device the device on which the tables lie; empty when they lie on the host
public record ShardStats(
    int branches,
    long pagesInUse,
    long bytesInUse,
    long budgetUsedBytes,
    long budgetLimitBytes,
    long forks,
    long forkNanos,
    long clocksApplied,
    Optional<DeviceUse> device) {}
