/// The REST interface: routes, problems, security, live events.
@NullMarked
package dev.espalier.tuner.rest;

import org.jspecify.annotations.NullMarked;
