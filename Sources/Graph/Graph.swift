// Stages, links, topology, runner.
