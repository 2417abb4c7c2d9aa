/// Tuning policies against each other on the same workloads.
@NullMarked
package dev.espalier.bench.tuning;

import org.jspecify.annotations.NullMarked;
