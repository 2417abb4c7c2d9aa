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
import java.util.regex.Pattern;
import org.springframework.web.filter.OncePerRequestFilter;

/// Refuses names of this server that nobody gave it: a page elsewhere could have its own name point
/// here and so reach the server through the reader's browser (DNS rebinding). An address is no
/// name: nobody can point it elsewhere, and load balancers and monitors ask by it.
final class HostFilter extends OncePerRequestFilter {
  private static final Pattern ADDRESS =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[?[0-9a-f:.]*:[0-9a-f:.]*(%[^\\]]+)?]?");

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

  /// {@return whether a name is written as an address, of four numbers or with colons}
  private static boolean isAddress(String name) {
    return ADDRESS.matcher(name).matches();
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String name = String.valueOf(request.getServerName()).toLowerCase(Locale.ROOT);
    if (names.contains(name) || isAddress(name)) {
      chain.doFilter(request, response);
      return;
    }
    problems.write(
        request,
        response,
        new EspalierException(
            ErrorCode.FORBIDDEN,
            "this server does not go by the name " + name + "; allow it with http.hosts"));
  }
}
