/// Branches on disk: only what changed is written, and nothing is believed without a checksum.
@NullMarked
package dev.espalier.ps.checkpoint;

import org.jspecify.annotations.NullMarked;
