/// The door of the command line to a server: requests, problems in words, live events.
@NullMarked
package dev.espalier.cli.client;

import org.jspecify.annotations.NullMarked;
