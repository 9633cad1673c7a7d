import Kernels
import TestSupport

/// Rows of every kind that a network has: plain, with outliers, zero, tiny, and of one sign.
func activations(_ rows: Int, _ inputs: Int, seed: UInt64) -> Tensor<Float> {
    var random = SplitMix64(seed: seed)
    var values = random.floats(rows * inputs, scale: 2)
    for row in 0..<rows {
        for k in row * inputs..<(row + 1) * inputs {
            switch row % 5 {
            case 1: values[k] *= k % 37 == 0 ? 60 : 1
            case 2: values[k] = k % 512 < 256 ? 0 : values[k]
            case 3: values[k] *= 1e-20
            case 4: values[k] = abs(values[k])
            default: break
            }
        }
    }
    return Tensor(values, shape: rows, inputs)
}

/// Quantised bytes that no float would give: every nibble, step and zero within the format's bounds.
func extremePanels(_ format: QuantizedFormat, outputs: Int, inputs: Int, seed: UInt64) -> ByteRegion {
    var random = SplitMix64(seed: seed)
    let spanBytes = QuantizedMatrix.panelByteCount(format: format, inputs: 256)
    let panelBytes = QuantizedMatrix.panelByteCount(format: format, inputs: inputs)
    let count = QuantizedMatrix.byteCount(format: format, outputs: outputs, inputs: inputs)
    return ByteRegion(byteCount: count) { bytes in
        for i in 0..<count {
            let place = i % panelBytes % spanBytes
            let draw = UInt8(truncatingIfNeeded: random.next())
            var byte = draw % 3 == 0 ? 0xFF : draw % 3 == 1 ? 0 : draw
            if place < 64 {
                byte = place % 2 == 0 ? draw : 0x1C + draw % 16  // halves of 0.004...200
            } else if format != .q8 && place < 320 {
                let zero = draw >> 4
                byte = zero << 4 | min(15, 127 / max(zero, 15 - zero))
            }
            bytes.storeBytes(of: byte, toByteOffset: i, as: UInt8.self)
        }
    }
}

extension Tensor<Float> {
    /// A tensor that shows where nothing was written.
    static func canary(_ rows: Int, _ columns: Int) -> Tensor<Float> { Tensor(rows, columns, filledWith: 1234.5) }
}
