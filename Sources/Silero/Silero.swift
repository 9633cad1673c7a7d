// Voice activity detection.
