// Resampling, channel policy, log-mel.
