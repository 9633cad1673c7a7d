import Kernels
import Synchronization

/// Buffers for quantised inputs that wait for the next product: a model makes hundreds a token, and a large one would be
/// given back to the system and faulted in again each time.
enum ActivationShelf {
    private static let shelf = Mutex<[QuantizedActivations]>([])
    /// Widths in use at a time, times callers at a time.
    private static let places = 16

    static func take(rows: Int, inputs: Int) -> QuantizedActivations {
        let found: QuantizedActivations? = shelf.withLock { shelf in
            guard let place = shelf.lastIndex(where: { $0.inputs == inputs && $0.rows >= rows }) else { return nil }
            return shelf.remove(at: place)
        }
        return found ?? QuantizedActivations(rows: rows, inputs: inputs)
    }

    static func put(_ buffer: QuantizedActivations) {
        shelf.withLock { shelf in
            // One that holds fewer rows of that width has served its time.
            shelf.removeAll { $0.inputs == buffer.inputs && $0.rows < buffer.rows }
            if shelf.count == places { shelf.removeFirst() }
            shelf.append(buffer)
        }
    }
}
