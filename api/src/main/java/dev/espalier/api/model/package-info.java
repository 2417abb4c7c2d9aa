/// The words of the system: tunables, settings, branches, commands, reports and error codes.
@NullMarked
package dev.espalier.api.model;

import org.jspecify.annotations.NullMarked;
