import Kernels

/// What can run here besides the definition.
let vectorSets = InstructionSet.allCases.filter { $0.isSupported && $0 != .scalar }
let supportedSets = InstructionSet.allCases.filter(\.isSupported)

/// Lengths around every vector width.
let lengths = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1_000, 1_537]

/// The agreed bound of a float sum of n products: 4·n·ε·Σ|aᵢbᵢ|.
func sumBound(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
    let products = zip(a, b).map { abs($0 * $1) }
    return 4 * Float(products.count) * Float.ulpOfOne * products.reduce(0, +)
}

/// Σ aᵢbᵢ and Σ|aᵢbᵢ| in double precision.
func exactDot(_ a: Span<Float>, _ b: Span<Float>) -> (sum: Double, magnitudes: Double) {
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            var (sum, magnitudes) = (0.0, 0.0)
            var i = 0
            while i < a.count {  // a plain loop: debug builds run this a few million times
                let product = Double(a[i]) * Double(b[i])
                sum += product
                magnitudes += abs(product)
                i += 1
            }
            return (sum, magnitudes)
        }
    }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count, "\(a.count) and \(b.count)")
    var largest: Float = 0
    for (x, y) in zip(a, b) where x != y && !(x.isNaN && y.isNaN) {
        let difference = abs(x - y)
        largest = difference.isNaN ? .infinity : max(largest, difference)
    }
    return largest
}

extension [Float] {
    var bits: [UInt32] { map(\.bitPattern) }
}
