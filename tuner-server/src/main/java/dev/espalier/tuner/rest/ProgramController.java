package dev.espalier.tuner.rest;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.PageView;
import dev.espalier.tuner.app.port.ProgramRegistry;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/// The programs that jobs may run.
@RestController
@RequestMapping(path = "/api/v1/programs", produces = MediaType.APPLICATION_JSON_VALUE)
class ProgramController {
  private final ProgramRegistry programs;

  ProgramController(ProgramRegistry programs) {
    this.programs = programs;
  }

  @GetMapping
  PageView<ProgramDescriptor> programs() {
    return new PageView<>(programs.programs(), null);
  }

  @GetMapping("/{name:[a-z][a-z0-9-]{0,62}}")
  ProgramDescriptor program(@PathVariable String name) {
    return programs.find(name).orElseThrow(() -> Lookups.notFound("program", name));
  }
}
