/// ALSA's `file` plugin as a microphone: it has no clock and no end, and is there as long as its file is.
package enum FileMicrophone {
    /// A configuration of ALSA: `testmic` delivers the bytes of the file at `path`, whatever is asked for; `testmic16` is fixed
    /// to S16, 16 kHz, mono. (Converting, the plugin mixes up its periods: not for exactness.)
    package static func configuration(of path: String) -> String {
        """
        </usr/share/alsa/alsa.conf>
        pcm.testmic {
            type file slave.pcm { type null } file "/dev/null" infile "\(path)" format "raw"
        }
        pcm.testmic16 {
            type plug slave { pcm "testmic" format S16_LE rate 16000 channels 1 }
            hint { show on description "A test microphone" }
        }
        """
    }
}
