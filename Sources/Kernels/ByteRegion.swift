/// Bytes that something else keeps alive: part of a mapped file, or memory of their own.
///
/// Read by many threads; written only while `init(byteCount:filledBy:)` makes it.
package struct ByteRegion: @unchecked Sendable {  // guard: immutable after init, and `owner` keeps the memory
    package let count: Int
    let start: UnsafeRawPointer
    /// Whether a file stands behind it.
    let isMapped: Bool
    private let owner: AnyObject

    /// - Parameters:
    ///   - bytes: Of a file, mapped for reading; valid and unchanged while `owner` lives.
    ///   - owner: What unmaps the bytes when it goes.
    package init(mapped bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        self.init(bytes, isMapped: true, owner: owner)
    }

    private init(_ bytes: UnsafeRawBufferPointer, isMapped: Bool, owner: AnyObject) {
        precondition(bytes.count > 0, "an empty region")
        (start, count, self.isMapped, self.owner) = (bytes.baseAddress!, bytes.count, isMapped, owner)
    }

    /// Memory of its own, 64-byte aligned and zero before `fill` sees it.
    package init(byteCount: Int, filledBy fill: (inout MutableRawSpan) -> Void) {
        let memory = Tensor<UInt8>(byteCount, filledWith: 0)
        var span = memory.mutableSpan
        var bytes = span.mutableBytes
        fill(&bytes)
        self.init(
            UnsafeRawBufferPointer(start: memory.pointer, count: byteCount), isMapped: false, owner: memory)
    }

    /// Part of it, kept alive by the same owner.
    package subscript(_ range: Range<Int>) -> ByteRegion {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
        return ByteRegion(
            UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count), isMapped: isMapped,
            owner: owner)
    }

    /// Whether the first byte lies where `alignment` asks.
    package func isAligned(to alignment: Int) -> Bool { Int(bitPattern: start) % alignment == 0 }

    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: start, count: count))
    }
}
