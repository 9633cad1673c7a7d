import Glibc
import Kernels

// Plain loops in double precision: what the layers are compared with.

let supportedSets = InstructionSet.allCases.filter(\.isSupported)

/// Worst difference of the first `count` elements.
func difference(_ tensor: Tensor<Float>, _ expected: [Double]) -> Double {
    zip(tensor.array, expected).map { $0.isNaN ? .infinity : abs(Double($0) - $1) }.max() ?? 0
}

func bits(_ tensor: Tensor<Float>) -> [UInt32] { tensor.array.map(\.bitPattern) }

func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }

/// x [rows, inputs] times weights [outputs, inputs], plus bias.
func linear(_ x: [Float], _ weights: [Float], _ bias: [Float], inputs: Int) -> [Double] {
    let (rows, outputs) = (x.count / inputs, weights.count / inputs)
    return (0..<rows * outputs).map { index in
        let (row, output) = (index / outputs, index % outputs)
        var sum = Double(bias[output])
        var i = 0
        while i < inputs {  // a plain loop: debug builds run this a million times
            sum += Double(x[row * inputs + i]) * Double(weights[output * inputs + i])
            i += 1
        }
        return sum
    }
}

/// Attention of rows of `queries` to rows of `keys` and `values`, each [_, H·D]; row i sees `seen(i)` of them.
func attention(
    queries: [[Float]], keys: [[Float]], values: [[Float]], heads: Int, seen: (Int) -> Int
) -> (output: [Double], weights: [Double]) {
    let d = queries[0].count / heads
    var (output, weights): ([Double], [Double]) = ([], [])
    for (i, query) in queries.enumerated() {
        for head in 0..<heads {
            let columns = head * d..<(head + 1) * d
            let powers = (0..<seen(i)).map { p in
                exp(columns.map { Double(query[$0]) * Double(keys[p][$0]) }.reduce(0, +) / Double(d).squareRoot())
            }
            let sum = powers.reduce(0, +)
            weights += powers.map { $0 / sum } + [Double](repeating: 0, count: keys.count - powers.count)
            output += columns.map { c in
                powers.indices.map { powers[$0] / sum * Double(values[$0][c]) }.reduce(0, +)
            }
        }
    }
    return (output, weights)
}

/// Columns `columns` of each row.
func rows(_ tensor: Tensor<Float>, _ columns: Range<Int>) -> [[Float]] {
    (0..<tensor.rows).map { row in columns.map { tensor[row, $0] } }
}

/// Rows `range` of a tensor, as a tensor.
func slice(_ tensor: Tensor<Float>, _ range: Range<Int>) -> Tensor<Float> {
    let part = Tensor<Float>(range.count, tensor.columns, filledWith: 0)
    part.copy(tensor, from: range.lowerBound * tensor.columns, count: part.count, to: 0)
    return part
}
