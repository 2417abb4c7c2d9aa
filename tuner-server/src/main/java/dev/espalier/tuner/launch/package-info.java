/// Workers as processes of this machine, and the programs they can run.
@NullMarked
package dev.espalier.tuner.launch;

import org.jspecify.annotations.NullMarked;
