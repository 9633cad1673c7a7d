import Foundation
import Kernels
import Layers
import Tokenizers
import Weights

/// A model file of our own: GGUF with the quantised matrices as the kernels read them, so that opening it is a map and no copy.
///
/// ```
/// general.architecture   gemma3n
/// narrator.version       1
/// narrator.config        the config.json
/// narrator.preprocessor  the preprocessor_config.json, if there was one
/// narrator.layouts       "NAME FORMAT ORDER ROWS COLUMNS" of each quantised tensor, which GGUF sees as bytes
/// tokenizer.ggml.*       tokens and their types, for other programs
/// tensors                names as in `CheckpointTensors`; `tokenizer`: a `GemmaTokenizer` in compact form
/// ```
struct GemmaContainer: Sendable {
    static let version = 1
    static let versionKey = "narrator.version"
    static let configKey = "narrator.config"
    static let preprocessorKey = "narrator.preprocessor"
    static let layoutsKey = "narrator.layouts"
    static let tokenizerName = "tokenizer"

    let tensors: ContainerTensors
    let config: [String: ConfigValue]
    private let checkpoint: Checkpoint

    static func recognises(_ checkpoint: Checkpoint) -> Bool { checkpoint.header?.contains(versionKey) == true }

    /// - Throws: `WeightsError`, `GemmaError`.
    init(_ checkpoint: Checkpoint, header: GGUFHeader) throws {
        let version = try header.integer(Self.versionKey)
        guard version == Self.version else {
            throw GemmaError.badTensors(
                file: checkpoint.path, reason: "it is of version \(version), and \(Self.version) can be read")
        }
        self.checkpoint = checkpoint
        config = try ConfigReader.values(
            json: Data(try header.text(Self.configKey).utf8), source: checkpoint.path)
        tensors = try ContainerTensors(checkpoint, layouts: header.texts(Self.layoutsKey))
    }

    /// - Throws: `WeightsError`, `TokenizerError`.
    func tokenizer() throws -> GemmaTokenizer {
        guard checkpoint.entry(Self.tokenizerName) != nil else {
            throw TokenizerError.damaged(
                path: checkpoint.path, what: "the model it was made of had no tokenizer.json, so it understands no text"
            )
        }
        let bytes = try checkpoint.mapped(Self.tokenizerName)
        let made = bytes.withBytes { bytes in
            Result { () throws(TokenizerError) in try GemmaTokenizer(compact: bytes, source: checkpoint.path) }
        }
        return try made.get()
    }
}

/// The tensors of a `GemmaContainer`, used where they lie.
struct ContainerTensors: GemmaTensorSource {
    private let checkpoint: Checkpoint
    private let layouts: [String: PackedLayout]

    /// - Throws: `GemmaError.badTensors` unless every layout fits its tensor.
    init(_ checkpoint: Checkpoint, layouts lines: [String]) throws(GemmaError) {
        var layouts: [String: PackedLayout] = [:]
        for line in lines {
            let words = line.split(separator: " ")
            guard let name = words.first, let layout = PackedLayout(words.dropFirst()),
                let entry = checkpoint.entry(String(name)), entry.type == .int8,
                entry.byteRange.count == layout.unit.bytes * layout.unit.count,
                (try? checkpoint.mapped(entry.name))?.isAligned(to: QuantizedMatrix.alignment) == true,
                layouts.updateValue(layout, forKey: String(name)) == nil
            else {
                throw .badTensors(file: checkpoint.path, reason: "the layout '\(line.prefix(120))' does not fit")
            }
        }
        (self.checkpoint, self.layouts) = (checkpoint, layouts)
    }

    /// Formats of the text model's quantised matrices but its sketches, for those who choose by them.
    var formats: Set<QuantizedFormat> {
        Set(layouts.filter { CheckpointTensors.isText($0.key) }.values.map(\.format)).subtracting([.q2])
    }

    func contains(_ name: String) -> Bool { checkpoint.entry(name) != nil }

    func floats(_ name: String, shape: [Int]) throws -> [Float] { try checkpoint.floats(name, shape: shape) }

    func linear(_ part: MatrixPart) throws -> Linear {
        guard let layout = try layout(part, part.taps == 1 ? .panels : .windows) else {
            return Linear(
                weights: try values(of: part), bias: nil, outputs: part.keptRowCount, inputs: part.keptColumns,
                precision: .float32)
        }
        return Linear(
            QuantizedMatrix(
                format: layout.format, outputs: part.keptRowCount, inputs: part.keptColumns,
                bytes: try panels(of: part, layout)))
    }

    /// Of a matrix in rows there is a sketch, and of no other.
    func head(_ part: MatrixPart) throws -> OutputHead {
        let name = QuantizedItem.sketchName(of: part.name)
        let hasSketch = layouts[name] != nil || layouts[part.name]?.order == .rows
        guard hasSketch, let layout = try layout(part, .rows) else { return OutputHead(try linear(part)) }
        guard let sketch = layouts[name],
            sketch == PackedLayout(order: .panels, format: .q2, rows: part.rows, columns: part.columns),
            layout.format == .q4
        else { throw GemmaError.badTensors(file: checkpoint.path, reason: "'\(part.name)' has no sketch that fits") }
        guard part.keptRows.count == 1, part.keptColumns == part.columns, part.keptRows[0].lowerBound == 0 else {
            throw uncut(part)
        }
        let kept = part.keptRowCount
        let rows = try checkpoint.mapped(part.name)[0..<kept * layout.unit.bytes]
        let panels = try checkpoint.mapped(name)
        return OutputHead(
            QuantizedRows(format: .q4, count: kept, columns: part.columns, bytes: rows),
            sketch: QuantizedMatrix(
                format: .q2, outputs: kept, inputs: part.columns,
                bytes: panels[0..<QuantizedMatrix.byteCount(format: .q2, outputs: kept, inputs: part.columns)]))
    }

    func table(_ part: MatrixPart) throws -> RowTable {
        guard let layout = try layout(part, .rows) else {
            return RowTable(try values(of: part), count: part.keptRowCount, columns: part.keptColumns)
        }
        guard part.keptRows.count == 1, part.keptColumns == part.columns else { throw uncut(part) }
        return try rows(part.keptRows[0], of: part.name, layout, columns: layout.columns)
    }

    func transposedTable(_ part: MatrixPart) throws -> RowTable {
        guard let layout = try layout(part, .columns) else {
            return RowTable(try transposedValues(of: part), count: part.keptColumns, columns: part.keptRowCount)
        }
        guard part.keptRows == [0..<part.rows] else { throw uncut(part) }
        return try rows(0..<part.keptColumns, of: part.name, layout, columns: layout.rows)
    }

    /// The layout of a tensor that is stored as it is asked for; nil if it is stored in floats.
    private func layout(_ part: MatrixPart, _ order: PackedLayout.Order) throws -> PackedLayout? {
        guard let layout = layouts[part.name] else { return nil }
        guard [layout.rows, layout.columns] == [part.rows, part.columns] else {
            throw WeightsError.wrongShape(
                name: part.name, found: [layout.rows, layout.columns], expected: [part.rows, part.columns])
        }
        guard layout.order == order else {
            throw GemmaError.badTensors(
                file: checkpoint.path,
                reason: "'\(part.name)' is stored in \(layout.order.rawValue), not in \(order.rawValue)")
        }
        return layout
    }

    private func rows(
        _ kept: Range<Int>, of name: String, _ layout: PackedLayout, columns: Int
    ) throws -> RowTable {
        let bytes = try checkpoint.mapped(name)
        let unit = layout.unit.bytes
        return RowTable(
            QuantizedRows(
                format: layout.format, count: kept.count, columns: columns,
                bytes: bytes[kept.lowerBound * unit..<kept.upperBound * unit], isSparselyRead: layout.order == .rows))
    }

    /// The panels of a part: where they lie if it is the first rows of the whole, else a copy.
    private func panels(of part: MatrixPart, _ layout: PackedLayout) throws -> ByteRegion {
        let bytes = try checkpoint.mapped(part.name)
        let (height, stored) = (QuantizedMatrix.panelOutputs, layout.unit.bytes)
        let kept = QuantizedMatrix.panelByteCount(format: layout.format, inputs: part.keptColumns)
        let isCut = part.keptColumns < part.columns
        // Spans of a panel lie one after another: its first columns are its first bytes.
        guard !isCut || part.keptColumns % QuantizedFormat.spanInputs == 0,
            part.keptRows.dropLast().allSatisfy({ $0.count % height == 0 }),
            part.keptRows.allSatisfy({ $0.lowerBound % height == 0 })
        else { throw uncut(part) }
        let ranges = part.keptRows.map { $0.lowerBound / height..<($0.upperBound + height - 1) / height }
        if !isCut, ranges.count == 1 { return bytes[ranges[0].lowerBound * stored..<ranges[0].upperBound * stored] }
        return bytes.withBytes { source in
            ByteRegion(byteCount: ranges.reduce(0) { $0 + $1.count } * kept) { copy in
                copy.withUnsafeMutableBytes { target in
                    for (index, panel) in ranges.joined().enumerated() {
                        UnsafeMutableRawBufferPointer(rebasing: target[index * kept..<(index + 1) * kept])
                            .copyMemory(
                                from: UnsafeRawBufferPointer(rebasing: source[panel * stored..<panel * stored + kept]))
                    }
                }
            }
        }
    }

    private func uncut(_ part: MatrixPart) -> GemmaError {
        .badSlice(
            reason:
                "'\(part.name)' is quantised, and can be cut at multiples of \(QuantizedMatrix.panelOutputs) rows and "
                + "\(QuantizedFormat.spanInputs) columns only")
    }
}
