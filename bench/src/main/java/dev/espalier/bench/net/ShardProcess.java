package dev.espalier.bench.net;

import dev.espalier.bench.frame.JavaProcess;
import dev.espalier.ps.ParameterServer;
import dev.espalier.runtime.transport.ShardServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A shard, and a raw socket, in a process of their own, for as long as the parent holds its input.
final class ShardProcess implements AutoCloseable {
  private static final int MAX_BYTES = 64 << 20;

  private final Process process;
  private final String address;
  private final int rawPort;

  private ShardProcess(Process process, String address, int rawPort) {
    this.process = process;
    this.address = address;
    this.rawPort = rawPort;
  }

  static ShardProcess start() throws IOException {
    Process process =
        new JavaProcess(List.of("-Xmx768m"), ShardProcess.class, List.of())
            .builder()
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    var out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      List<String> words = List.of(line.split(" "));
      if (words.size() == 3 && words.getFirst().equals("ready")) {
        return new ShardProcess(process, words.get(1), Integer.parseInt(words.get(2)));
      }
    }
    throw new IOException("the shard's process ended");
  }

  /// {@return host:port of the shard's gRPC port}
  String address() {
    return address;
  }

  int rawPort() {
    return rawPort;
  }

  @Override
  public void close() {
    process.destroy();
  }

  public static void main(String[] arguments) throws IOException {
    try (ParameterServer server = NetworkTables.open();
        ShardServer port = ShardServer.open("127.0.0.1", NetworkTables.TOKEN);
        RawPort raw = new RawPort(MAX_BYTES)) {
      port.serve(server.shard());
      System.out.println("ready " + port.address() + " " + raw.port());
      while (System.in.read() >= 0) {
        // Until the parent is gone.
      }
    }
    System.exit(0);
  }
}
