/// The dashboard in a real browser: what tests, measurements and pictures of it share.
@NullMarked
package dev.espalier.browser;

import org.jspecify.annotations.NullMarked;
