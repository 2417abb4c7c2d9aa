package dev.espalier.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;

/// Which version of the parameters is read.
///
/// @param clock the reader's, inside the branch
/// @param staleness how many clocks of other workers the read may miss
record Moment(BranchRef branch, long clock, Staleness staleness) {}
