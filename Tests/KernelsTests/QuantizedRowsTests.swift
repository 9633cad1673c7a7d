import Kernels
import TestSupport
import Testing

struct QuantizedRowsTests {
    static let columnCounts = [32, 96, 128, 160, 256, 288, 480, 512, 2_048, 2_336]

    /// A table as a file has it: at an odd address.
    private static func table(
        _ format: QuantizedFormat, _ values: [Float], columns: Int, isa: InstructionSet
    ) -> QuantizedRows {
        let packed = QuantizedRows.pack(values.span, format: format, columns: columns)
        let shifted = ByteRegion(byteCount: packed.count + 3) { bytes in
            packed.withBytes { from in
                for i in 0..<from.count { bytes.storeBytes(of: from[i], toByteOffset: i + 3, as: UInt8.self) }
            }
        }
        return QuantizedRows(
            format: format, count: values.count / columns, columns: columns, bytes: shifted[3..<packed.count + 3],
            instructionSet: isa)
    }

    static let formats = QuantizedFormat.allCases.filter(\.hasRows)

    @Test("Every instruction set gives the bits of the scalar twin", arguments: vectorSets, Self.formats)
    func matchesScalarTwin(isa: InstructionSet, format: QuantizedFormat) {
        for columns in Self.columnCounts {
            var random = SplitMix64(seed: UInt64(columns))
            let values = random.floats(41 * columns)
            let table = Self.table(format, values, columns: columns, isa: isa)
            let twin = Self.table(format, values, columns: columns, isa: .scalar)
            let indices = (0..<37).map { Int32($0 * 17 % 41) }
            let weights = random.floats(37, scale: 3)
            let start = random.floats(columns)
            let x = activations(3, columns, seed: 2)

            #expect(copied(table, row: 40).bits == copied(twin, row: 40).bits)
            #expect(added(table, indices, weights, start).bits == added(twin, indices, weights, start).bits)
            if format.isQuantized {
                #expect(dots(table, indices, x, 1).bits == dots(twin, indices, x, 1).bits)
            } else {
                let (result, expected) = (dots(table, indices, x, 1), dots(twin, indices, x, 1))
                for (i, index) in indices.enumerated() {
                    let bound = sumBound(copied(twin, row: Int(index)), (0..<columns).map { x[1, $0] })
                    #expect(abs(result[i] - expected[i]) <= bound)
                }
            }
        }
    }

    @Test(arguments: supportedSets, [QuantizedFormat.q4, .q8])
    func dotsAreTheBitsOfTheDenseProduct(isa: InstructionSet, format: QuantizedFormat) {
        var random = SplitMix64(seed: 12)
        for columns in [96, 768, 2_336] {
            let (count, rows) = (70, 3)
            let weights = random.floats(count * columns)
            let x = activations(rows, columns, seed: 13)
            let matrix = QuantizedMatrix(
                format: format, outputs: count, inputs: columns,
                bytes: QuantizedMatrix.pack(weights.span, format: format, inputs: columns), instructionSet: isa)
            let table = Self.table(format, weights, columns: columns, isa: isa)
            let quantised = QuantizedActivations(rows: rows, inputs: columns)
            quantised.quantize(x, rows: 0..<rows, on: isa)
            let dense = Tensor<Float>(rows, count, filledWith: 0)
            matrix.multiply(quantised, rows: 0..<rows, into: dense, panels: 0..<matrix.panels)
            for row in 0..<rows {
                let all = dots(table, (0..<70).map { Int32($0) }, x, row)
                #expect(all.bits == (0..<count).map { dense[row, $0] }.bits)
            }
            var weightsOfOutput = [Float](repeating: 0, count: columns)
            var span = weightsOfOutput.mutableSpan
            matrix.copyWeights(ofOutput: 69, into: &span)
            #expect(weightsOfOutput.bits == copied(table, row: 69).bits)
        }
    }

    @Test(arguments: supportedSets, [QuantizedFormat.q4, .q8])
    func manyInputsWithChoicesOfTheirOwnGiveTheSameBits(isa: InstructionSet, format: QuantizedFormat) {
        for (inputs, columns) in [(3, 96), (40, 288), (300, 2_336), (17, 2_048)] {
            checkChoices(isa, format, inputs: inputs, columns: columns)
        }
    }

    private func checkChoices(_ isa: InstructionSet, _ format: QuantizedFormat, inputs: Int, columns: Int) {
        var random = SplitMix64(seed: 16)
        let count = 41
        let table = Self.table(format, random.floats(count * columns), columns: columns, isa: isa)
        let x = activations(inputs, columns, seed: 17)
        let rounded = QuantizedActivations(rows: inputs, inputs: columns)
        rounded.quantize(x, rows: 0..<inputs, on: isa)
        let indices = Tensor<Int32>(inputs, count, filledWith: -1)  // what is behind the chosen ones is not looked at
        let counts = Tensor<Int>(1, inputs, filledWith: 0)
        let expected = Tensor<Float>.canary(inputs, count)
        for row in 0..<inputs {
            let chosen = (0..<count).filter { _ in random.next() % 3 == 0 || row == 1 }.map { Int32($0) }
            for (i, index) in chosen.enumerated() { indices[row, i] = index }
            counts[0, row] = row == 2 ? 0 : chosen.count
            if row == 2 { continue }
            for (i, dot) in dots(table, chosen, x, row).enumerated() { expected[row, i] = dot }
        }
        let output = Tensor<Float>.canary(inputs, count)
        for rows in [20..<40, 0..<20, 40..<41, 7..<7] {
            table.dots(within: rows, of: indices, counts: counts, with: rounded, inputs: inputs, into: output)
        }
        #expect(output.array.bits == expected.array.bits)
    }

    @Test(arguments: supportedSets, Self.formats)
    func addingRowsIsTheSumOfWhatTheyHold(isa: InstructionSet, format: QuantizedFormat) {
        var random = SplitMix64(seed: 14)
        let columns = 608
        let table = Self.table(format, random.floats(50 * columns), columns: columns, isa: isa)
        let indices = (0..<40).map { Int32($0) } + [7, 7]
        let weights = random.floats(42)
        let start = random.floats(columns)
        let sum = added(table, indices, weights, start)
        let rows = indices.map { copied(table, row: Int($0)) }
        for k in 0..<columns {
            let products = zip(weights, rows).map { Double($0) * Double($1[k]) }
            let magnitudes = products.map { abs($0) }.reduce(0, +) + Double(abs(start[k]))
            #expect(abs(Double(sum[k]) - products.reduce(Double(start[k]), +)) < 2e-5 * magnitudes)
        }
        // Pieces along the columns, as threads share them out.
        var pieces = start
        for columns in [256..<512, 0..<256, 512..<608] {
            var part = Array(pieces[columns])
            var span = part.mutableSpan
            table.addRows(indices.span, weights: weights.span, columns: columns, into: &span)
            pieces.replaceSubrange(columns, with: part)
        }
        #expect(pieces.bits == sum.bits)
        var piece = [Float](repeating: 0, count: 96)
        var span = piece.mutableSpan
        table.copyRow(3, columns: 512..<608, into: &span)
        #expect(piece == Array(copied(table, row: 3)[512...]))
    }

    @Test func halfAndFullFormatsKeepWhatTheyCan() {
        var random = SplitMix64(seed: 15)
        let values = random.floats(64) + [.infinity, -0.0] + random.floats(30)
        let full = Self.table(.float32, values, columns: 96, isa: .active)
        #expect(copied(full, row: 0).bits == values.bits)
        let half = copied(Self.table(.bfloat16, values, columns: 96, isa: .active), row: 0)
        #expect(zip(half, values).allSatisfy { $0 == $1 || abs($0 - $1) <= abs($1) / 256 })
    }

    @Test func noRowsAddNothing() {
        let table = Self.table(.q4, [Float](repeating: 1, count: 64), columns: 64, isa: .active)
        #expect(added(table, [], [], [Float](repeating: 2, count: 64)) == [Float](repeating: 2, count: 64))
        #expect(dots(table, [], activations(1, 64, seed: 1), 0).isEmpty)
    }

    private func copied(_ table: QuantizedRows, row: Int) -> [Float] {
        var values = [Float](repeating: 1234.5, count: table.columns)
        var span = values.mutableSpan
        table.copyRow(row, columns: 0..<table.columns, into: &span)
        return values
    }

    private func added(_ table: QuantizedRows, _ rows: [Int32], _ weights: [Float], _ start: [Float]) -> [Float] {
        var values = start
        var span = values.mutableSpan
        table.addRows(rows.span, weights: weights.span, columns: 0..<table.columns, into: &span)
        return values
    }

    private func dots(
        _ table: QuantizedRows, _ rows: [Int32], _ x: Tensor<Float>, _ inputRow: Int
    ) -> [Float] {
        var values = [Float](repeating: 1234.5, count: rows.count)
        var span = values.mutableSpan
        table.dots(rows.span, with: x.row(inputRow), into: &span)
        return values
    }
}
