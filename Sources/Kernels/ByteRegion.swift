/// Bytes that something else keeps alive: part of a mapped file, or memory of their own.
///
/// Read by many threads; written only while `init(byteCount:filledBy:)` makes it.
package struct ByteRegion: @unchecked Sendable {  // guard: immutable after init, and `owner` keeps the memory
    package let count: Int
    let start: UnsafeRawPointer
    private let owner: AnyObject?

    /// - Parameters:
    ///   - bytes: Valid and unchanged while `owner` lives.
    ///   - owner: What unmaps or frees the bytes when it goes; none for memory that never goes.
    package init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject?) {
        precondition(bytes.count > 0, "an empty region")
        (start, count, self.owner) = (bytes.baseAddress!, bytes.count, owner)
    }

    /// Memory of its own, 64-byte aligned and zero before `fill` sees it.
    package init(byteCount: Int, filledBy fill: (inout MutableRawSpan) -> Void) {
        let memory = Tensor<UInt8>(byteCount, filledWith: 0)
        var span = memory.mutableSpan
        var bytes = span.mutableBytes
        fill(&bytes)
        (start, count, owner) = (UnsafeRawPointer(memory.pointer), byteCount, memory)
    }

    /// Part of it, kept alive by the same owner.
    package subscript(_ range: Range<Int>) -> ByteRegion {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
        return ByteRegion(UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count), owner: owner)
    }

    /// Whether the first byte lies where `alignment` asks.
    package func isAligned(to alignment: Int) -> Bool { Int(bitPattern: start) % alignment == 0 }

    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: start, count: count))
    }
}
