import CSoxr

// Sound on its way to the models: ChannelMixer (many channels to one) ─► Resampler (any rate to 16 kHz) ─► LogMel.
// All three stream, and run in pieces they give bit for bit what they give run whole.

/// Changes the rate of a mono stream with libsoxr's high-quality recipe: linear phase, pass band to 0.91 of the lower
/// Nyquist frequency, aliases below −100 dB.
///
/// The filter's delay is compensated: output sample n lies at the time of input sample n · in / out, and after
/// `finish()` the stream holds exactly `(n · out / in)` rounded to nearest samples for n put in. Until then the output
/// trails the input by the filter's length. Equal rates pass through untouched.
package struct Resampler: ~Copyable {
    /// Rates outside have no meaning for sound; they come from broken file headers.
    package static let acceptedRatesHz = 1_000...768_000

    package let inputRateHz: Int
    package let outputRateHz: Int
    private let soxr: soxr_t?  // nil: equal rates
    private var samplesIn = 0
    private var samplesOut = 0

    /// - Throws: `SignalError.rateOutOfRange` unless both rates lie in `acceptedRatesHz`.
    package init(inputRateHz: Int, outputRateHz: Int) throws(SignalError) {
        soxr = try Self.open(inputRateHz, outputRateHz)
        self.inputRateHz = inputRateHz
        self.outputRateHz = outputRateHz
    }

    private static func open(_ inputRateHz: Int, _ outputRateHz: Int) throws(SignalError) -> soxr_t? {
        for rateHz in [inputRateHz, outputRateHz] where !acceptedRatesHz.contains(rateHz) {
            throw .rateOutOfRange(rateHz: rateHz, accepted: acceptedRatesHz)
        }
        guard inputRateHz != outputRateHz else { return nil }
        var failure: soxr_error_t?
        var quality = soxr_quality_spec(UInt(SOXR_HQ), 0)
        if let soxr = soxr_create(Double(inputRateHz), Double(outputRateHz), 1, &failure, nil, &quality, nil) {
            return soxr
        }
        let reason = failure.map { String(cString: $0) } ?? "no reason given"
        throw .resamplerRefused(inputRateHz: inputRateHz, outputRateHz: outputRateHz, reason: reason)
    }

    deinit { soxr_delete(soxr) }

    /// How many samples a stream of `samplesIn` samples becomes.
    package func outputCount(forInput samplesIn: Int) -> Int {
        let (whole, rest) = samplesIn.quotientAndRemainder(dividingBy: inputRateHz)
        return whole * outputRateHz + (2 * rest * outputRateHz + inputRateHz) / (2 * inputRateHz)
    }

    /// Takes the next samples of the stream and returns those that are ready at the output rate, perhaps none.
    package mutating func step(_ samples: [Float]) -> [Float] {
        guard soxr != nil else { return samples }
        samplesIn += samples.count
        var output: [Float] = []
        var taken = 0
        while taken < samples.count {
            taken += samples.withUnsafeBufferPointer { input in
                process(UnsafeBufferPointer(rebasing: input[taken...]), into: &output)
            }
        }
        return clipped(output)
    }

    /// Returns the rest of the stream; then only `reset()` is legal.
    package mutating func finish() -> [Float] {
        guard soxr != nil else { return [] }
        let due = outputCount(forInput: samplesIn) - samplesOut
        var output: [Float] = []
        var before = -1
        while output.count != before, output.count < due {
            before = output.count
            _ = process(nil, into: &output)
        }
        output = clipped(output)
        // libsoxr counts in floating point and can end one sample short of the exact length.
        if samplesOut < outputCount(forInput: samplesIn) {
            output += Array(repeating: 0, count: outputCount(forInput: samplesIn) - samplesOut)
        }
        return output
    }

    /// Forgets the stream; the next sample is the first of a new one.
    package mutating func reset() {
        samplesIn = 0
        samplesOut = 0
        guard soxr != nil else { return }
        let failure = soxr_clear(soxr)
        precondition(failure == nil, "soxr_clear: \(failure.map { String(cString: $0) } ?? "")")
    }

    /// Passes `input` (nil: the end of the stream) to libsoxr, appends what it gives, returns how much it took.
    private func process(_ input: UnsafeBufferPointer<Float>?, into output: inout [Float]) -> Int {
        let capacity = (input?.count ?? 4_096) * outputRateHz / inputRateHz + 4_096
        var taken = 0
        output += [Float](unsafeUninitializedCapacity: capacity) { buffer, produced in
            let failure = soxr_process(
                soxr, input?.baseAddress, input?.count ?? 0, &taken, buffer.baseAddress, capacity, &produced)
            precondition(failure == nil, "soxr_process: \(failure.map { String(cString: $0) } ?? "")")
        }
        return taken
    }

    /// Counts `output` as given, without what would exceed the exact length of the stream so far.
    private mutating func clipped(_ output: [Float]) -> [Float] {
        let room = outputCount(forInput: samplesIn) - samplesOut
        samplesOut += min(room, output.count)
        return output.count <= room ? output : Array(output.prefix(room))
    }
}
