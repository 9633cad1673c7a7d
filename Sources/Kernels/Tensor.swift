internal import Glibc

/// Numbers in row-major order, the last axis contiguous, 64-byte aligned: weights, activations, scratch.
///
/// A class, so that a network's buffers are made once and passed around for nothing. Sharing follows the owner: a tensor is
/// written by one thread at a time, or by the tasks of one `ThreadPool.run` in parts that do not overlap.
package final class Tensor<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {  // guard: see above
    package let shape: [Int]
    /// All elements.
    package let count: Int
    /// Length of the last axis.
    package let columns: Int
    @usableFromInline let elements: UnsafeMutableBufferPointer<Element>
    /// Of a view: the tensor whose memory it shares.
    private let owner: Tensor<Element>?

    package init(shape: [Int], filledWith element: Element) {
        precondition(!shape.isEmpty && shape.allSatisfy { $0 >= 0 }, "\(shape)")
        self.shape = shape
        count = shape.reduce(1, *)
        columns = shape[shape.count - 1]
        let bytes = max(count * MemoryLayout<Element>.stride, 1)
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: bytes, alignment: alignmentForLargePages(bytes, otherwise: 64))
        adviseLargePages(memory, bytes)
        elements = UnsafeMutableBufferPointer(start: memory.bindMemory(to: Element.self, capacity: count), count: count)
        owner = nil
        // Not specialised for callers in other modules, where a loop over elements would take nanoseconds each.
        if withUnsafeBytes(of: element, { $0.allSatisfy { $0 == 0 } }) {
            memset(memory, 0, bytes)
        } else {
            elements.initialize(repeating: element)
        }
    }

    package convenience init(_ shape: Int..., filledWith element: Element) {
        self.init(shape: shape, filledWith: element)
    }

    /// - Parameter values: As many as `shape` holds, in row-major order.
    package convenience init(_ values: [Element], shape: Int...) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for \(shape)")
        self.init(shape: shape, copying: values)
    }

    private convenience init(shape: [Int], copying values: [Element]) {
        if let first = values.first {
            self.init(shape: shape, filledWith: first)
            _ = elements.update(fromContentsOf: values)
        } else {
            // No element to fill with, and none to fill.
            self.init(emptyOf: shape)
        }
    }

    private init(emptyOf shape: [Int]) {
        self.shape = shape
        count = 0
        columns = shape.last ?? 0
        elements = UnsafeMutableBufferPointer(start: nil, count: 0)
        owner = nil
    }

    private init(shape: [Int], in owner: Tensor<Element>, from first: Int = 0) {
        self.shape = shape
        count = shape.reduce(1, *)
        columns = shape[shape.count - 1]
        precondition(
            first >= 0 && !shape.isEmpty && count >= 1 && first + count <= owner.count, "\(shape) in \(owner.shape)")
        elements = UnsafeMutableBufferPointer(rebasing: owner.elements[first..<first + count])
        self.owner = owner
    }

    deinit { if owner == nil { UnsafeMutableRawPointer(elements.baseAddress)?.deallocate() } }

    /// The first elements in another shape; the memory is shared, so layers of different widths can use one buffer.
    package func view(_ shape: Int...) -> Tensor<Element> { Tensor(shape: shape, in: self) }

    /// Some rows, at least one; the memory is shared.
    package func part(rows: Range<Int>) -> Tensor<Element> {
        Tensor(shape: [rows.count, columns], in: self, from: rows.lowerBound * columns)
    }

    /// Product of all axes but the last.
    package var rows: Int { shape.dropLast().reduce(1, *) }

    package var array: [Element] { Array(elements) }

    package var span: Span<Element> {
        @_lifetime(borrow self)
        get { _overrideLifetime(Span(_unsafeElements: UnsafeBufferPointer(elements)), borrowing: self) }
    }

    package var mutableSpan: MutableSpan<Element> {
        @_lifetime(borrow self)
        get { _overrideLifetime(MutableSpan(_unsafeElements: elements), borrowing: self) }
    }

    /// The `columns` elements of one row.
    @_lifetime(borrow self)
    package func row(_ row: Int) -> Span<Element> { span.extracting(row * columns..<(row + 1) * columns) }

    @_lifetime(borrow self)
    package func mutableRow(_ row: Int) -> MutableSpan<Element> { mutableSpan(of: row * columns..<(row + 1) * columns) }

    /// Elements counted from the start, across rows.
    @_lifetime(borrow self)
    package func mutableSpan(of range: Range<Int>) -> MutableSpan<Element> {
        let part = UnsafeMutableBufferPointer(rebasing: elements[range])
        return _overrideLifetime(MutableSpan(_unsafeElements: part), borrowing: self)
    }

    package func fill(_ element: Element) { elements.update(repeating: element) }

    /// Copies `count` elements of `source`, counted from the start of both.
    package func copy(_ source: Tensor<Element>, from: Int, count: Int, to: Int) {
        precondition(from >= 0 && from + count <= source.count && to >= 0 && to + count <= self.count)
        if count > 0 { (pointer + to).update(from: source.pointer + from, count: count) }
    }

    package func copy(_ source: Span<Element>, to: Int) {
        precondition(to >= 0 && to + source.count <= count, "\(source.count) elements to \(to) of \(shape)")
        source.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            (pointer + to).update(from: first, count: source.count)
        }
    }

    /// Row `i`, column `j`.
    @inlinable package subscript(i: Int, j: Int) -> Element {
        get { elements[i * columns + j] }
        set { elements[i * columns + j] = newValue }
    }

    /// The first element, for the kernels; valid while the tensor lives.
    var pointer: UnsafeMutablePointer<Element> {
        guard let first = elements.baseAddress else { preconditionFailure("an empty tensor \(shape) has no elements") }
        return first
    }
}
