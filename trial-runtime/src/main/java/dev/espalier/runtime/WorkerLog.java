package dev.espalier.runtime;

/// What workers log with where nobody says otherwise.
final class WorkerLog {
  private static final String CONFIGURATION = "logback.configurationFile";

  private WorkerLog() {}

  /// To be called before the first logger is made. Chosen here and not by a logback.xml in this
  /// jar, which could take the place of the user's own in a program that has it on its class path.
  static void configure() {
    ClassLoader classes = WorkerLog.class.getClassLoader();
    boolean isTheUsersOwn =
        System.getProperty(CONFIGURATION) != null
            || classes.getResource("logback.xml") != null
            || classes.getResource("logback-test.xml") != null;
    if (!isTheUsersOwn) {
      System.setProperty(CONFIGURATION, "dev/espalier/runtime/worker-logback.xml");
    }
  }
}
