package dev.espalier.cli.screen;

/// What is done when the process ends, as by Ctrl-C, before its owner closes it.
public final class ExitHook implements AutoCloseable {
  private final Thread hook;

  /// @param name of the thread that does it
  public ExitHook(String name, Runnable action) {
    hook = new Thread(action, name);
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /// {@return whether it will not be done; false where the process ends already, and it has been or
  /// will be}
  public boolean withdraw() {
    try {
      return Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return false;
    }
  }

  @Override
  public void close() {
    withdraw();
  }
}
