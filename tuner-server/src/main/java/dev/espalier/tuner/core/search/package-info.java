/// Searchers: functions of space, observations and draw number to the next setting.
@NullMarked
package dev.espalier.tuner.core.search;

import org.jspecify.annotations.NullMarked;
