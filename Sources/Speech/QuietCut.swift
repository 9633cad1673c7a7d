/// Where to cut sound that has no pause marked: in the middle of its quietest stretch.
package enum QuietCut {
    /// Middle of the quietest `stretch` samples within the last third of `samples`; the end if there are too few.
    package static func position(in samples: Span<Float>, stretch: Int = 3_200) -> Int {
        let first = samples.count * 2 / 3
        guard samples.count - first > 2 * stretch else { return samples.count }
        let hop = stretch / 4
        var energies: [Float] = []
        for start in stride(from: first, to: samples.count - hop, by: hop) {
            var energy: Float = 0
            for index in start..<start + hop { energy += samples[index] * samples[index] }
            energies.append(energy)
        }
        var best = (energy: Float.infinity, index: 0)
        for index in 0...(energies.count - 4) {
            let energy = energies[index] + energies[index + 1] + energies[index + 2] + energies[index + 3]
            if energy < best.energy { best = (energy, index) }
        }
        return first + best.index * hop + stretch / 2
    }
}
