/// Recordings of jobs, and what the policies of today would decide about them.
@NullMarked
package dev.espalier.tuner.replay;

import org.jspecify.annotations.NullMarked;
