/// The worker process: commands in, clocks, reports out.
@NullMarked
package dev.espalier.runtime;

import org.jspecify.annotations.NullMarked;
