/// Planners of populations: functions of the runs so far to what is trained next.
@NullMarked
package dev.espalier.tuner.core.population;

import org.jspecify.annotations.NullMarked;
