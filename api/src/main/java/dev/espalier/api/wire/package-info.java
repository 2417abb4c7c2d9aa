/// The one mapping between model records and the worker protocol.
@NullMarked
package dev.espalier.api.wire;

import org.jspecify.annotations.NullMarked;
