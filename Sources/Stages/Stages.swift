// Graph stages.
