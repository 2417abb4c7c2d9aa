package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.springframework.web.filter.OncePerRequestFilter;

/// Refuses names of this server that nobody gave it: a page elsewhere could have its own name point
/// here and so reach the server through the reader's browser (DNS rebinding).
final class HostFilter extends OncePerRequestFilter {
  private final Set<String> names;
  private final Problems problems;

  HostFilter(RestSettings settings, Problems problems) {
    var all = new TreeSet<>(Set.of("localhost", "127.0.0.1", "[::1]", "::1"));
    String address = settings.address().toLowerCase(Locale.ROOT);
    all.add(address);
    if (address.contains(":")) {
      all.add("[" + address + "]");
    }
    settings.hosts().forEach(host -> all.add(host.toLowerCase(Locale.ROOT)));
    names = Set.copyOf(all);
    this.problems = problems;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String name = String.valueOf(request.getServerName()).toLowerCase(Locale.ROOT);
    if (names.contains(name)) {
      chain.doFilter(request, response);
      return;
    }
    problems.write(
        request,
        response,
        new EspalierException(
            ErrorCode.FORBIDDEN,
            "this server does not go by the name " + name + "; allow it with espalier.http.hosts"));
  }
}
