package dev.espalier.tuner.persistence;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.PageView;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Where a page ends, as a text that callers hand back unread.
final class PageToken {
  private PageToken() {}

  /// {@return the position behind a token, or `first` without one}
  ///
  /// @param list what the token must have been made for, such as `jobs`
  static long position(String list, @Nullable String token, long first) {
    if (token == null || token.isEmpty()) {
      return first;
    }
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII);
      if (text.startsWith(list + ":")) {
        return Long.parseLong(text.substring(list.length() + 1));
      }
    } catch (IllegalArgumentException e) {
      // Told below: for the caller all broken tokens are alike.
    }
    throw EspalierException.of(
        ErrorCode.INVALID_REQUEST,
        "/pageToken",
        "pageToken must be one that this list gave but is " + token,
        token);
  }

  /// {@return a page of `rows`, which were read with a limit of `pageSize` + 1}
  static <R, V> PageView<V> page(
      String list, List<R> rows, int pageSize, Function<R, V> view, ToLongFunction<R> position) {
    boolean more = rows.size() > pageSize;
    List<R> shown = more ? rows.subList(0, pageSize) : rows;
    String next =
        more
            ? Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(
                    (list + ":" + position.applyAsLong(shown.getLast()))
                        .getBytes(StandardCharsets.US_ASCII))
            : null;
    return new PageView<>(shown.stream().map(view).toList(), next);
  }
}
