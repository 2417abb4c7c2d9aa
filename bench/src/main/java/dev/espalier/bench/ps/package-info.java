/// Measurements of the parameter server, each beside the limit of the machine in the same run.
@NullMarked
package dev.espalier.bench.ps;

import org.jspecify.annotations.NullMarked;
