import Kernels
import Weights

/// Asks a checkpoint for all it may be asked for. Whatever a file holds, this ends with values or with our errors.
/// - Returns: how many bytes and elements came out, so that no request is optimised away.
@discardableResult
func readEverything(_ checkpoint: Checkpoint) -> Int {
    var sum = 0
    for name in checkpoint.names {
        guard let entry = checkpoint.entry(name) else { continue }
        sum += (try? checkpoint.floats(name, shape: entry.shape).count) ?? 0
        if let rows = entry.shape.first, rows > 0 {
            sum += (try? checkpoint.floats(name, shape: entry.shape, rows: rows - 1..<rows).count) ?? 0
        }
        sum += (try? checkpoint.integer(name)).map { $0 & 1 } ?? 0
        sum += (try? checkpoint.bytes(name).reduce(0) { $0 &+ Int($1) }) ?? 0
        sum += (try? checkpoint.mapped(name).count) ?? 0
    }
    guard let header = checkpoint.header else { return sum }
    for key in header.keys {
        sum += (try? header.integer(key)).map { $0 & 1 } ?? 0
        sum += (try? header.float(key)) == 1 ? 1 : 0
        sum += (try? header.flag(key)) == true ? 1 : 0
        sum += (try? header.text(key).utf8.count) ?? 0
        sum += (try? header.count(of: key)) ?? 0
        sum += (try? header.integers(key).count) ?? 0
        sum += (try? header.floats(key).count) ?? 0
        sum += (try? header.flags(key).count) ?? 0
        sum += (try? header.texts(key).count) ?? 0
        sum += (try? header.value(key)) == .flag(true) ? 1 : 0
    }
    return sum
}
