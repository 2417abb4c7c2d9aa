/// MLtuner's tuning rounds: trials on forks of the mainline, judged by their convergence speed.
@NullMarked
package dev.espalier.tuner.core.policy.round;

import org.jspecify.annotations.NullMarked;
