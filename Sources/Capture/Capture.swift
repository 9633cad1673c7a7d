// Sources of sound: ALSA, files, standard input, synthetic.
