/// Weights that need no file: an integer hash of a tensor's name and an element's index, the same here and in the golden scripts.
///
/// Each value is mean + amplitude · u, u in -1..<1 with 24 bits, computed in double and rounded once: exact everywhere.
package enum HashWeights {
    package static func values(
        _ name: String, count: Int, seed: UInt64 = 0, mean: Double, amplitude: Double
    ) -> [Float] {
        let start = hash(name) ^ seed
        return (0..<count).map { index in
            let bits = mix(start &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15)
            return Float(mean + (Double(bits >> 40) / 0x1p23 - 1) * amplitude)
        }
    }

    /// FNV-1a.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    /// The finisher of SplitMix64.
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
