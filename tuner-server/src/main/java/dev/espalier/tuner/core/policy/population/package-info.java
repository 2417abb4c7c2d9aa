/// The course of a population of runs, on forks of one untrained root.
@NullMarked
package dev.espalier.tuner.core.policy.population;

import org.jspecify.annotations.NullMarked;
