/// When a worker may read.
@NullMarked
package dev.espalier.ps.clock;

import org.jspecify.annotations.NullMarked;
