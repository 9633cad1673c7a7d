import Glibc
package import Media

/// Raw samples from a descriptor, which its writer paces: `stdin_pcm`. Stream time goes by sample count.
package struct PCMStdin: ~Copyable, SoundSource {
    package let format: AudioFormat
    private let descriptor: CInt
    private let blockBytes: Int
    /// Bytes of a frame that has not arrived whole.
    private var remainder: [UInt8] = []
    private var framesOut = 0

    /// - Parameter descriptor: stays the caller's; never read while nothing is there.
    /// - Throws: `formatAbsurd`.
    package init(
        format: AudioFormat, descriptor: CInt = STDIN_FILENO, blockMilliseconds: Int = 40
    ) throws(CaptureError) {
        guard SoundLimits.rateHz.contains(format.rateHz), SoundLimits.channels.contains(format.channels) else {
            throw .formatAbsurd(format)
        }
        self.format = format
        self.descriptor = descriptor
        blockBytes = max(1, format.rateHz * blockMilliseconds / 1_000) * format.bytesPerFrame
    }

    /// - Throws: `lost` if reading fails. A last frame that is not whole is left out.
    package mutating func next() throws(CaptureError) -> SoundPull {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard retrying({ Int(poll(&wanted, 1, 0)) }) > 0 else { return .pending }
        let held = remainder
        var received = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: blockBytes) { buffer, count in
            _ = buffer.initialize(from: held)
            received = retrying { read(descriptor, buffer.baseAddress! + held.count, buffer.count - held.count) }
            count = held.count + max(0, received)
        }
        if received < 0 {
            guard received != -Int(EAGAIN) else { return .pending }
            throw .lost(device: "standard input", errno: CInt(-received))
        }
        guard received > 0 else { return .ended }
        let whole = bytes.count - bytes.count % format.bytesPerFrame
        remainder = Array(bytes[whole...])
        guard whole > 0 else { return .pending }

        var samples: [Float] = []
        PCMConversion.append(bytes.span.extracting(first: whole).bytes, as: format.sampleFormat, to: &samples)
        let time = MediaTime(samples: framesOut, rateHz: format.rateHz)
        let block = AudioBlock(time: time, rateHz: format.rateHz, channels: format.channels, samples: samples)
        framesOut += block.frames
        return .block(block, due: nil)
    }
}
