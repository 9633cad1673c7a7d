// Whisper.
