internal import CKernels

/// A table of which single rows are read: embeddings, and the feed-forward rows that survive a sparse activation.
///
/// [count, columns], columns a multiple of 32; rows lie one after another, as in a file, and at any alignment.
package final class QuantizedRows: Sendable {
    package let format: QuantizedFormat
    package let count: Int
    package let columns: Int
    private let bytes: ByteRegion
    private let isSparselyRead: Bool
    private let instructionSet: InstructionSet

    /// - Parameters:
    ///   - bytes: `byteCount` of them; read where they lie.
    ///   - isSparselyRead: Of a mapped file single pages are read, not runs of them, and none is held once a row is copied.
    package init(
        format: QuantizedFormat, count: Int, columns: Int, bytes: ByteRegion, isSparselyRead: Bool = false,
        instructionSet: InstructionSet = .active
    ) {
        precondition((1...Int(Int32.max)).contains(count), "\(count) rows")
        precondition(format.hasRows && QuantizedFormat.canStore(inputs: columns), "\(format) rows of \(columns)")
        let expected = Self.byteCount(format: format, count: count, columns: columns)
        precondition(bytes.count == expected, "\(bytes.count) bytes for \(expected)")
        (self.format, self.count, self.columns, self.bytes) = (format, count, columns, bytes)
        (self.isSparselyRead, self.instructionSet) = (isSparselyRead, instructionSet)
        if isSparselyRead { bytes.adviseRandomAccess() }
    }

    package static func byteCount(format: QuantizedFormat, count: Int, columns: Int) -> Int {
        count * ck_row_bytes(format.code, columns)
    }

    /// Quantises the next rows of a table.
    /// - Parameters:
    ///   - rows: [1...32, columns]. What is not finite counts as zero where the format is quantised.
    ///   - packed: `byteCount` bytes for these rows.
    package static func packRows(
        _ rows: Span<Float>, format: QuantizedFormat, columns: Int, into packed: inout MutableRawSpan
    ) {
        precondition(format.hasRows && QuantizedFormat.canStore(inputs: columns), "\(format) rows of \(columns)")
        precondition((1...Int(CK_PANEL) * columns).contains(rows.count) && rows.count % columns == 0, "\(rows.count)")
        let count = rows.count / columns
        precondition(packed.byteCount == byteCount(format: format, count: count, columns: columns))
        rows.withUnsafeBufferPointer { rows in
            packed.withUnsafeMutableBytes { packed in
                let target = packed.baseAddress!.assumingMemoryBound(to: UInt8.self)
                ck_pack_rows(format.code, rows.baseAddress!, count, columns, target)
            }
        }
    }

    /// Quantises a table [count, columns] at once.
    package static func pack(_ values: Span<Float>, format: QuantizedFormat, columns: Int) -> ByteRegion {
        let (count, together) = (values.count / columns, Int(CK_PANEL))
        return ByteRegion(byteCount: byteCount(format: format, count: count, columns: columns)) { bytes in
            let rowBytes = byteCount(format: format, count: 1, columns: columns)
            for first in stride(from: 0, to: count, by: together) {
                let last = min(first + together, count)
                var target = bytes._mutatingExtracting(first * rowBytes..<last * rowBytes)
                packRows(
                    values.extracting(first * columns..<last * columns), format: format, columns: columns,
                    into: &target)
            }
        }
    }

    /// Columns `columns` of one row, in floats.
    ///
    /// - Parameters:
    ///   - columns: From a multiple of 256 to another or the last column.
    ///   - output: [columns.count].
    package func copyRow(_ row: Int, columns: Range<Int>, into output: inout MutableSpan<Float>) {
        precondition((0..<count).contains(row) && output.count == columns.count, "row \(row) of \(count)")
        let spans = spans(of: columns)
        var table = table
        output.withUnsafeMutableBufferPointer { output in
            guard let first = output.baseAddress else { return }
            instructionSet.kernels.quantised.copy_row(&table, row, spans, first)
        }
        if isSparselyRead {
            let rowBytes = bytes.count / count
            bytes.discardPages(around: row * rowBytes..<(row + 1) * rowBytes)
        }
    }

    /// output[i] = row rows[i] · input. Where the format is quantised these are the bits of a dense product.
    ///
    /// - Parameters:
    ///   - input: [columns]; rounded to 8 bits on the way where the format is quantised.
    ///   - output: [rows.count].
    package func dots(_ rows: Span<Int32>, with input: Span<Float>, into output: inout MutableSpan<Float>) {
        precondition(input.count == columns, "\(input.count) for \(columns)")
        check(rows, output.count)
        let (kernels, columns, rowBytes) = (instructionSet.kernels.quantised, columns, ck_quantised_stride(columns))
        var table = table
        rows.withUnsafeBufferPointer { rows in
            input.withUnsafeBufferPointer { input in
                output.withUnsafeMutableBufferPointer { output in
                    guard let indices = rows.baseAddress, let out = output.baseAddress else { return }
                    guard format.isQuantized else {
                        return kernels.dot_rows(&table, indices, rows.count, nil, 0, input.baseAddress, out)
                    }
                    withUnsafeTemporaryAllocation(byteCount: rowBytes, alignment: 64) { scratch in
                        var rounded = ck_quantised_inputs(rows: scratch.baseAddress!, stride: rowBytes, inputs: columns)
                        kernels.quantise(input.baseAddress!, columns, &rounded, ck_range(begin: 0, end: 1))
                        kernels.dot_rows(&table, indices, rows.count, &rounded, 0, nil, out)
                    }
                }
            }
        }
    }

    /// output[m, i] = row indices[m, i] · input row m, for the i below counts[m] whose row lies within `rows`.
    ///
    /// The bits of `dots` for one input, but a row of the table is read and unpacked once for all inputs that chose it.
    ///
    /// - Parameters:
    ///   - rows: Of the table; threads can share them out. Its format is quantised.
    ///   - indices: [≥ inputs, n], ascending in each row; others are passed over.
    ///   - counts: [≥ inputs], at most n each.
    ///   - input: Holds `inputs` rows.
    ///   - output: [≥ inputs, n].
    package func dots(
        within rows: Range<Int>, of indices: Tensor<Int32>, counts: Tensor<Int>, with input: QuantizedActivations,
        inputs: Int, into output: Tensor<Float>
    ) {
        let width = indices.columns
        precondition(format.isQuantized && input.inputs == columns, "\(format), \(input.inputs) for \(columns)")
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "\(rows) of \(count)")
        precondition(inputs >= 0 && inputs <= min(input.rows, counts.count), "\(inputs) inputs")
        precondition(output.columns == width && inputs * width <= min(indices.count, output.count), "\(output.shape)")
        for row in 0..<inputs { precondition((0...width).contains(counts[0, row]), "\(counts[0, row]) of \(width)") }
        if rows.isEmpty || inputs == 0 { return }
        var job = ck_chosen_dots(
            table: table, x: input.view, count: inputs, indices: indices.pointer, chosen: counts.pointer,
            stride: width, out: output.pointer)
        instructionSet.kernels.quantised.dot_chosen(&job, ck_range(rows))
    }

    /// output += Σ weights[i] · row rows[i] over `columns` of each row, in the order of `rows`.
    ///
    /// A column's sum does not depend on the other columns, so threads can share them out.
    /// - Parameters:
    ///   - columns: From a multiple of 256 to another or the last column.
    ///   - output: [columns.count].
    package func addRows(
        _ rows: Span<Int32>, weights: Span<Float>, columns: Range<Int>, into output: inout MutableSpan<Float>
    ) {
        precondition(weights.count == rows.count && output.count == columns.count, "\(weights.count), \(output.count)")
        check(rows, weights.count)
        let spans = spans(of: columns)
        var table = table
        rows.withUnsafeBufferPointer { rows in
            weights.withUnsafeBufferPointer { weights in
                output.withUnsafeMutableBufferPointer { output in
                    guard let indices = rows.baseAddress, let factors = weights.baseAddress else { return }
                    guard let y = output.baseAddress else { return }
                    instructionSet.kernels.quantised.add_rows(&table, indices, factors, rows.count, spans, y)
                }
            }
        }
    }

    private var table: ck_row_table {
        ck_row_table(rows: bytes.start.assumingMemoryBound(to: UInt8.self), columns: columns, format: format.code)
    }

    private func check(_ rows: Span<Int32>, _ outputs: Int) {
        precondition(rows.count == outputs, "\(rows.count) rows, \(outputs) outputs")
        for index in rows.indices {
            precondition(rows[index] >= 0 && Int(rows[index]) < count, "row \(rows[index]) of \(count)")
        }
    }

    private func spans(of columns: Range<Int>) -> ck_range {
        let span = QuantizedFormat.spanInputs
        precondition(columns.lowerBound >= 0 && columns.upperBound <= self.columns, "\(columns) of \(self.columns)")
        precondition(
            columns.lowerBound % span == 0 && (columns.upperBound % span == 0 || columns.upperBound == self.columns),
            "\(columns) cuts a span of \(span)")
        return ck_range(begin: columns.lowerBound / span, end: (columns.upperBound + span - 1) / span)
    }
}
