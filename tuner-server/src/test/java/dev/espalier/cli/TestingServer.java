package dev.espalier.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.espalier.cli.client.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A server that answers from a table of texts, and tells what it was asked.
final class TestingServer implements AutoCloseable {
  static final String TOKEN = "esp_testing";

  private final HttpServer http;
  private static final Pattern WORKERS = Pattern.compile("GET /jobs/[^/]+/workers");

  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private final Map<String, Queue<Answer>> first = new ConcurrentHashMap<>();
  private final Map<String, Events> streams = new ConcurrentHashMap<>();
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  final List<String> bodies = Collections.synchronizedList(new ArrayList<>());

  private record Answer(int status, String body) {}

  /// What an event stream does with one of its connections.
  interface Events {
    void serve(String lastEventId, OutputStream out) throws IOException, InterruptedException;
  }

  TestingServer() throws IOException {
    http = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    http.createContext("/", this::answer);
    http.start();
  }

  String address() {
    return "http://127.0.0.1:" + http.getAddress().getPort();
  }

  /// Answers `GET /jobs` and the like, below the root of the interface.
  TestingServer on(String request, int status, Object body) {
    answers.put(request, new Answer(status, body instanceof String text ? text : json(body)));
    return this;
  }

  /// Answers so once, before what [#on] says.
  TestingServer first(String request, int status, Object body) {
    first
        .computeIfAbsent(request, key -> new ConcurrentLinkedQueue<>())
        .add(new Answer(status, json(body)));
    return this;
  }

  TestingServer events(String path, Events events) {
    streams.put(path, events);
    return this;
  }

  private static String json(Object body) {
    return Json.write(Json.tree(body));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath().replaceFirst("^/api/v1", "");
      String query = exchange.getRequestURI().getQuery();
      String request = exchange.getRequestMethod() + " " + path;
      requests.add(query == null ? request : request + "?" + query);
      bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
      if (!("Bearer " + TOKEN).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
        send(
            exchange, 401, json(Map.of("title", "Unauthenticated", "detail", "a token is needed")));
        return;
      }
      Events events = streams.get(path);
      if (events != null) {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        String last = exchange.getRequestHeaders().getFirst("Last-Event-ID");
        events.serve(last == null ? "" : last, exchange.getResponseBody());
        return;
      }
      Answer answer = known(request, query);
      if (answer == null) {
        send(
            exchange,
            404,
            json(Map.of("code", "NOT_FOUND", "detail", "there is nothing at " + path)));
      } else {
        send(exchange, answer.status(), answer.body());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private @Nullable Answer known(String request, @Nullable String query) {
    Answer first = this.first.getOrDefault(request, new ConcurrentLinkedQueue<>()).poll();
    if (first != null) {
      return first;
    }
    Answer known = answers.get(query == null ? request : request + "?" + query);
    if (known != null || answers.containsKey(request)) {
      return known == null ? answers.get(request) : known;
    }
    // Jobs of which no test says otherwise have no workers.
    return WORKERS.matcher(request).matches()
        ? new Answer(200, json(Map.of("items", List.of())))
        : null;
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    http.stop(0);
  }
}
