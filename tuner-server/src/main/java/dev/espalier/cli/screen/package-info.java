/// What a terminal can show: tables, colours, sparklines, words for numbers.
@NullMarked
package dev.espalier.cli.screen;

import org.jspecify.annotations.NullMarked;
