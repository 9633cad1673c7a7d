import Kernels
import Testing

struct TensorTests {
    @Test func rowsAreContiguousAndTheLastAxisIsTheColumns() {
        let tensor = Tensor((0..<24).map { Float($0) }, shape: 2, 3, 4)
        #expect(tensor.rows == 6 && tensor.columns == 4 && tensor.count == 24 && tensor.shape == [2, 3, 4])
        #expect(tensor[4, 1] == 17)
        #expect(tensor.row(5).count == 4 && tensor.row(5)[3] == 23)
        var row = tensor.mutableRow(1)
        row[0] = -1
        #expect(tensor.array[4] == -1)
    }

    @Test func spansSeeWritesOfEachOther() {
        let tensor = Tensor<Int32>(3, 2, filledWith: 7)
        var span = tensor.mutableSpan
        span[5] = 9
        tensor[0, 0] = 1
        #expect(tensor.array == [1, 7, 7, 7, 7, 9])
        #expect(tensor.span[5] == 9)
    }

    @Test func emptyTensorsAreAllowed() {
        #expect(Tensor<Float>(0, 4, filledWith: 0).array.isEmpty)
        #expect(Tensor([Float](), shape: 0, 4).span.count == 0)
    }

    @Test func storageIsAlignedForEveryVector() {
        for count in [1, 3, 100] {
            let tensor = Tensor<UInt8>(count, filledWith: 0)
            let address = tensor.span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
            #expect(address % 64 == 0)
        }
    }
}
