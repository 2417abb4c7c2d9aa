/// Frames of the parameter server between worker processes, over gRPC.
@NullMarked
package dev.espalier.runtime.transport;

import org.jspecify.annotations.NullMarked;
