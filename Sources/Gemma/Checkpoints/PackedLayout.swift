import Kernels

/// How a quantised tensor lies in a file of our own.
struct PackedLayout: Sendable, Equatable {
    enum Order: String {
        /// For products: panels of 32 outputs.
        case panels
        /// The same of a convolution, its inputs tap by tap: [outputs, kernel · kernel, inputs].
        case windows
        /// For gathering rows.
        case rows
        /// For gathering columns: the transpose, in rows.
        case columns
    }

    let order: Order
    let format: QuantizedFormat
    /// Of the matrix that was packed.
    let rows, columns: Int

    /// Bytes and number of the units that a file stores one after another.
    var unit: (bytes: Int, count: Int) {
        switch order {
        case .panels, .windows:
            let bytes = QuantizedMatrix.panelByteCount(format: format, inputs: columns)
            return (bytes, (rows + QuantizedMatrix.panelOutputs - 1) / QuantizedMatrix.panelOutputs)
        case .rows: return (QuantizedRows.byteCount(format: format, count: 1, columns: columns), rows)
        case .columns: return (QuantizedRows.byteCount(format: format, count: 1, columns: rows), columns)
        }
    }

    var isPanels: Bool { order == .panels || order == .windows }

    /// `q4 panels 2048 8192`.
    var text: String { "\(format.rawValue) \(order.rawValue) \(rows) \(columns)" }
}

extension PackedLayout {
    private static let maxRows = 1 << 24

    /// - Returns: Nil for what is no layout.
    init?(_ words: some Collection<Substring>) {
        let words = Array(words)
        guard words.count == 4, let format = QuantizedFormat(rawValue: String(words[0])), format.isQuantized,
            let order = Order(rawValue: String(words[1])), let rows = Int(words[2]), let columns = Int(words[3]),
            (1...Self.maxRows).contains(rows), (1...Self.maxRows).contains(columns),
            QuantizedFormat.canStore(inputs: order == .columns ? rows : columns),
            format.hasRows || order == .panels
        else { return nil }
        self.init(order: order, format: format, rows: rows, columns: columns)
    }
}
