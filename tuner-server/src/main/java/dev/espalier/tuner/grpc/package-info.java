/// The worker channel: ordered broadcast with acknowledgement over gRPC.
@NullMarked
package dev.espalier.tuner.grpc;

import org.jspecify.annotations.NullMarked;
