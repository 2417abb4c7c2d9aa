/// One race: an incumbent and its challengers on forks of one snapshot.
@NullMarked
package dev.espalier.tuner.core.policy.race;

import org.jspecify.annotations.NullMarked;
