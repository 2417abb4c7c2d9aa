/// The documents of the REST interface: job files in, views out.
@NullMarked
package dev.espalier.api.rest;

import org.jspecify.annotations.NullMarked;
