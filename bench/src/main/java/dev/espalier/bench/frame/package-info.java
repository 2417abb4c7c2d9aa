/// How benchmarks are run, compared and reported.
@NullMarked
package dev.espalier.bench.frame;

import org.jspecify.annotations.NullMarked;
