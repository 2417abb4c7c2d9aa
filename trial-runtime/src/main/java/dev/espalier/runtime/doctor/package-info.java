/// What the machine offers to a worker, and what a worker will use of it.
@NullMarked
package dev.espalier.runtime.doctor;

import org.jspecify.annotations.NullMarked;
