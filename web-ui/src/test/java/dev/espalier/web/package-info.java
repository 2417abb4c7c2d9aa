/// Tests of the page's modules, run by a JavaScript engine inside the test's own JVM.
@NullMarked
package dev.espalier.web;

import org.jspecify.annotations.NullMarked;
