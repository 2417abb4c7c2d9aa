package dev.espalier.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class JobsLeftRunningTest {
  @Test
  void jobsThatHaveNotEndedAreToldOnCtrlC() throws Exception {
    Process follower = follower("follow");
    try (var lines = follower.inputReader()) {
      assertThat(lines.readLine()).isEqualTo("following");
      String pid = Long.toString(follower.pid());
      assertThat(new ProcessBuilder("kill", "-INT", pid).start().waitFor()).isZero();
    }

    assertThat(said(follower)).isEqualTo("job_2 goes on; espalier job cancel job_2 ends it\n");
    assertThat(follower.exitValue()).isEqualTo(130);
  }

  @Test
  void whoeverFollowsNoMoreTellsNothing() throws Exception {
    assertThat(said(follower("close"))).isEmpty();
  }

  /// A suite that a script has put into the background ignores Ctrl-C, and so would its children.
  private static Process follower(String how) throws IOException {
    return new ProcessBuilder(
            "env",
            "--default-signal=INT",
            ProcessHandle.current().info().command().orElseThrow(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Follower.class.getName(),
            how)
        .start();
  }

  private static String said(Process follower) throws IOException, InterruptedException {
    try (var err = follower.errorReader()) {
      String said = err.readAllAsString();
      assertThat(follower.waitFor(10, TimeUnit.SECONDS)).isTrue();
      return said;
    } finally {
      follower.destroyForcibly();
    }
  }

  /// A command that follows two jobs, of which one has ended.
  static final class Follower {
    public static void main(String[] how) throws InterruptedException {
      try (var jobs = new JobsLeftRunning(System.err)) {
        jobs.begun("job_1");
        jobs.begun("job_2");
        jobs.ended("job_1");
        if (how[0].equals("follow")) {
          System.out.println("following");
          Thread.sleep(60_000);
        }
      }
    }
  }
}
