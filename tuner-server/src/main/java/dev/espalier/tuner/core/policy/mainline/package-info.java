/// Courses of one mainline from epoch to epoch: the policies `mltuner` and `fixed`.
@NullMarked
package dev.espalier.tuner.core.policy.mainline;

import org.jspecify.annotations.NullMarked;
