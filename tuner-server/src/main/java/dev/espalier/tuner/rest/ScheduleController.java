package dev.espalier.tuner.rest;

import dev.espalier.api.rest.ScheduleView;
import dev.espalier.tuner.app.port.JobQueries;
import java.nio.charset.StandardCharsets;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/// The schedule that a job found, to look at or to take along.
@RestController
class ScheduleController {
  private final JobQueries queries;

  ScheduleController(JobQueries queries) {
    this.queries = queries;
  }

  /// @param format `json`, `csv` or `java`
  @GetMapping(path = Lookups.JOB + "/schedule")
  ResponseEntity<Object> schedule(
      @PathVariable String job, @RequestParam(defaultValue = "json") String format) {
    Lookups.job(queries, job);
    ScheduleView schedule = queries.schedule(job);
    return switch (format) {
      case "json" -> ResponseEntity.ok().contentType(MediaType.APPLICATION_JSON).body(schedule);
      case "csv" -> text("text/csv", "schedule.csv", ScheduleText.csv(schedule));
      case "java" -> text("text/x-java-source", "FoundSchedule.java", ScheduleText.java(schedule));
      default ->
          throw Lookups.invalid(
              "format", "format must be json, csv or java but is " + format, format);
    };
  }

  private static ResponseEntity<Object> text(String type, String file, String text) {
    return ResponseEntity.ok()
        .contentType(new MediaType(MediaType.parseMediaType(type), StandardCharsets.UTF_8))
        .header("Content-Disposition", "attachment; filename=\"" + file + "\"")
        .body(text);
  }
}
