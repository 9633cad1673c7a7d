import Kernels
import Weights

/// Decides for each tensor of a checkpoint how a quantised file stores it.
struct QuantizationPlan {
    /// Of what is kept.
    let config: GemmaTextConfig
    /// Of the text model's matrices; those of the encoders have 8 bits.
    let format: QuantizedFormat

    /// Fewer outputs are not worth a panel.
    private static let minOutputs = QuantizedMatrix.panelOutputs

    /// - Parameters:
    ///   - shape: As stored.
    ///   - isWide: Whether the checkpoint has it in 32 bits.
    /// - Returns: None for what nobody asks for, and for what has no elements; two where a sketch is made too.
    func items(_ name: String, shape: [Int], isWide: Bool) -> [QuantizedItem] {
        guard let item = item(name, shape: shape, isWide: isWide) else { return [] }
        return item.sketch.map { [item, $0] } ?? [item]
    }

    private func item(_ name: String, shape: [Int], isWide: Bool) -> QuantizedItem? {
        if shape.contains(0) { return nil }
        guard CheckpointTensors.isText(name) else { return encoderItem(name, shape: shape, isWide: isWide) }
        let parts = name.split(separator: ".", maxSplits: 2)
        if parts.count == 3, parts[0] == "layers", let number = Int(parts[1]) {
            guard let index = config.layers.firstIndex(where: { $0.stored == number }) else { return nil }
            return layerItem(name, String(parts[2]), shape: shape, index: index)
        }
        return wholeItem(name, shape: shape)
    }

    private func layerItem(_ name: String, _ local: String, shape: [Int], index: Int) -> QuantizedItem? {
        let layer = config.layers[index]
        let isShared = !config.ownsKeyValues(index)
        if isShared, ["self_attn.k_proj.weight", "self_attn.v_proj.weight", "self_attn.k_norm.weight"].contains(local) {
            return nil
        }
        var item = QuantizedItem(source: name, name: "layers.\(index).\(local)", shape: shape)
        let kept = layer.feedForward
        switch local {
        case "mlp.gate_proj.weight", "mlp.up_proj.weight": item.cut(rows: [0..<kept])
        case "mlp.down_proj.weight": item.cut(columns: [0..<kept])
        default: break
        }
        if shape.count != 2 || local.hasPrefix("altup.") { return item }
        switch local {
        case "mlp.up_proj.weight" where layer.sparsity > 0: item.pack(.rows, format)
        case "mlp.down_proj.weight" where layer.sparsity > 0: item.pack(.columns, format)
        default: item.pack(.panels, format)
        }
        return item
    }

    private func wholeItem(_ name: String, shape: [Int]) -> QuantizedItem? {
        var item = QuantizedItem(source: name, name: name, shape: shape)
        let slices = config.layers.map { $0.stored * config.perLayerWidth..<($0.stored + 1) * config.perLayerWidth }
        switch name {
        case "embed_tokens_per_layer.weight":
            item.cut(rows: [0..<config.textVocabulary])
            item.cut(columns: slices)
            item.pack(.rows, format)
        case "per_layer_model_projection.weight":
            item.cut(rows: slices)
            item.pack(.panels, format)
        case "embed_tokens.weight": item.pack(format == .q4 ? .rows : .panels, format)
        case _ where name.hasPrefix("altup_"): item.pack(.panels, format)
        case "norm.weight", "per_layer_projection_norm.weight": break
        default: return nil
        }
        return item
    }

    private func encoderItem(_ name: String, shape: [Int], isWide: Bool) -> QuantizedItem {
        var item = QuantizedItem(source: name, name: name, shape: shape)
        item.isHalf = !isWide && shape.count > 1
        // A convolution of one point is a matrix.
        let isMatrix = shape.count == 2 || (shape.count == 4 && shape[2...] == [1, 1])
        if isMatrix, shape[0] >= Self.minOutputs, !name.hasSuffix(".embedding.weight") { item.pack(.panels, .q8) }
        // Those that expand; filters of single channels stay floats.
        if name.hasSuffix(".conv_exp.weight"), shape.count == 4, shape[0] >= Self.minOutputs {
            item.pack(.windows, .q8)
        }
        return item
    }
}

/// One tensor on its way into a quantised file.
struct QuantizedItem {
    /// Its name in the checkpoint and in the file.
    let source, name: String
    /// As stored in the checkpoint.
    let shape: [Int]
    /// How it is packed; nil: floats.
    private(set) var layout: PackedLayout?
    /// Floats of 16 bits, because the checkpoint has no more.
    var isHalf = false
    private var keptRows: [Range<Int>]
    private var keptColumns: [Range<Int>]

    /// Numbers that are worked on at a time.
    private static let blockNumbers = 1 << 23

    init(source: String, name: String, shape: [Int]) {
        (self.source, self.name, self.shape) = (source, name, shape)
        keptRows = [0..<(shape.first ?? 1)]
        keptColumns = [0..<shape.dropFirst().reduce(1, *)]
    }

    private var rowCount: Int { keptRows.reduce(0) { $0 + $1.count } }
    private var columnCount: Int { keptColumns.reduce(0) { $0 + $1.count } }
    private var storedColumns: Int { shape.dropFirst().reduce(1, *) }
    private var isWhole: Bool { rowCount == shape.first ?? 1 && columnCount == storedColumns }

    mutating func cut(rows: [Range<Int>]) { keptRows = rows }
    mutating func cut(columns: [Range<Int>]) { keptColumns = columns }

    /// Chooses a layout, unless it cannot hold rows of that length.
    mutating func pack(_ order: PackedLayout.Order, _ format: QuantizedFormat) {
        guard QuantizedFormat.canStore(inputs: order == .columns ? rowCount : columnCount) else { return }
        layout = PackedLayout(order: order, format: format, rows: rowCount, columns: columnCount)
    }

    /// What finds its largest products, if it is an output matrix in 4 bits.
    var sketch: QuantizedItem? {
        guard source == "embed_tokens.weight", layout?.order == .rows else { return nil }
        var sketch = QuantizedItem(source: source, name: Self.sketchName(of: name), shape: shape)
        sketch.pack(.panels, .q2)
        return sketch
    }

    static func sketchName(of name: String) -> String { "\(name).sketch" }

    var storedShape: [Int] {
        if let unit = layout?.unit { return [unit.count, unit.bytes] }
        return isWhole ? shape : [rowCount, columnCount]
    }

    var storedType: ElementType { layout != nil ? .int8 : isHalf ? .bfloat16 : .float32 }

    /// Reads the tensor and gives its bytes in the order of the file.
    func pack(
        _ source: some GemmaStoredTensors, pool: ThreadPool, _ give: (RawSpan) throws -> Void
    ) throws {
        guard let layout else { return try giveFloats(source, give) }
        if layout.order == .columns {
            return try pack(read(source, 0..<rowCount), layout, units: 0..<layout.columns, pool: pool, give)
        }
        let height = QuantizedMatrix.panelOutputs
        let rows = max(Self.blockNumbers / layout.columns / height, 1) * height
        for first in stride(from: 0, to: rowCount, by: rows) {
            let block = first..<min(first + rows, rowCount)
            var values = try read(source, block)
            if layout.order == .windows {
                values = byTaps(values, taps: shape[2] * shape[3], inputs: shape[1])
            }
            try pack(values, layout, units: 0..<block.count, pool: pool, give)
        }
    }

    private func giveFloats(_ source: some GemmaStoredTensors, _ give: (RawSpan) throws -> Void) throws {
        let rows = max(Self.blockNumbers / columnCount, 1)
        for first in stride(from: 0, to: rowCount, by: rows) {
            let values = try read(source, first..<min(first + rows, rowCount))
            if isHalf {
                let halves = values.map { UInt16($0.bitPattern >> 16) }
                try give(halves.span.bytes)
                continue
            }
            try give(values.span.bytes)
        }
    }

    /// Reads a little, to see that the tensor is one of numbers.
    func check(_ source: some GemmaStoredTensors) throws { _ = try read(source, 0..<1) }

    /// Rows of what is kept, numbered as they are in the file.
    private func read(_ source: some GemmaStoredTensors, _ rows: Range<Int>) throws -> [Float] {
        if shape.isEmpty { return try source.floats(self.source, shape: shape) }
        var values: [Float] = []
        values.reserveCapacity(rows.count * columnCount)
        var start = 0
        for range in keptRows {
            let wanted = rows.clamped(to: start..<start + range.count)
            start += range.count
            if wanted.isEmpty { continue }
            let offset = range.upperBound - start
            let stored = try source.rows(
                wanted.lowerBound + offset..<wanted.upperBound + offset, of: self.source, shape: shape)
            if columnCount == storedColumns {
                values += stored
            } else {
                for row in 0..<wanted.count {
                    for columns in keptColumns {
                        values +=
                            stored[row * storedColumns + columns.lowerBound..<row * storedColumns + columns.upperBound]
                    }
                }
            }
        }
        return values
    }

    /// Packs on all threads, 32 rows a task; `units` are rows of what is packed: columns of `values` where it is turned.
    private func pack(
        _ values: [Float], _ layout: PackedLayout, units: Range<Int>, pool: ThreadPool, _ give: (RawSpan) throws -> Void
    ) throws {
        let (height, bytes) = (QuantizedMatrix.panelOutputs, layout.unit.bytes)
        let tasks = (units.count + height - 1) / height
        let length = layout.order == .columns ? layout.rows : layout.columns
        let taskBytes = layout.isPanels ? bytes : bytes * height
        let packed = Tensor<UInt8>(tasks, taskBytes, filledWith: 0)
        pool.run(tasks) { task in
            let rows = task * height..<min((task + 1) * height, units.count)
            var row = packed.mutableRow(task)
            var target = row.mutableBytes
            if layout.isPanels {
                QuantizedMatrix.packPanel(
                    values.span.extracting(rows.lowerBound * length..<rows.upperBound * length), format: layout.format,
                    inputs: length, into: &target)
                return
            }
            var part = target._mutatingExtracting(0..<rows.count * bytes)
            if layout.order == .rows {
                QuantizedRows.packRows(
                    values.span.extracting(rows.lowerBound * length..<rows.upperBound * length), format: layout.format,
                    columns: length, into: &part)
            } else {
                let turned = rows.flatMap { column in (0..<length).map { values[$0 * layout.columns + column] } }
                QuantizedRows.packRows(turned.span, format: layout.format, columns: length, into: &part)
            }
        }
        let whole = layout.isPanels ? tasks * taskBytes : units.count * bytes
        try give(packed.span.bytes.extracting(0..<whole))
    }
}
