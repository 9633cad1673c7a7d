import Foundation

/// Runs a pickle of protocol 2 as `torch.save` writes it: a stack machine that can build tensors and nothing else.
///
/// A pickle is a program. This one knows the 30 instructions that tensors need and calls none of the functions it names: a
/// name outside `PickleGlobal` is an error, so nothing of the file ever runs. Stack, memo, tuples and texts are bounded.
struct PickleMachine {
    /// Python writes containers in batches of 1,000 and so stays far below.
    static let maxStack = 10_000
    /// A tensor leaves eight entries.
    static let maxMemo = 500_000
    static let maxBytes = 32 << 20

    private(set) var reader: ByteReader
    private let start: Int
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]

    private init(_ reader: ByteReader) {
        self.reader = reader
        start = reader.offset
    }

    /// Runs the pickle that begins where `reader` stands, and leaves `reader` behind it.
    static func load(_ reader: inout ByteReader) throws(WeightsError) -> PickleValue {
        var machine = PickleMachine(reader)
        let value = try machine.run()
        reader = machine.reader
        return value
    }

    private mutating func run() throws(WeightsError) -> PickleValue {
        while true {
            guard reader.offset - start < Self.maxBytes else { throw reader.damaged("a pickle without an end") }
            let code = UInt8(try reader.number(UInt8.self, "a pickle"))
            if code == UInt8(ascii: ".") { return try pop() }
            try execute(code)
            guard stack.count <= Self.maxStack, memo.count <= Self.maxMemo else {
                throw reader.damaged("a pickle with an absurd number of objects")
            }
        }
    }

    private mutating func execute(_ code: UInt8) throws(WeightsError) {
        switch code {
        case 0x80:  // PROTO
            guard try reader.number(UInt8.self, "a protocol") == 2 else {
                throw reader.damaged("a pickle protocol other than 2")
            }
        case UInt8(ascii: "("):
            guard marks.count < Self.maxStack else { throw reader.damaged("a pickle with an absurd number of objects") }
            marks.append(stack.count)
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.boolean(true))
        case 0x89: stack.append(.boolean(false))
        case UInt8(ascii: "K"): stack.append(.integer(try reader.number(UInt8.self, "a number")))
        case UInt8(ascii: "M"): stack.append(.integer(try reader.number(UInt16.self, "a number")))
        case UInt8(ascii: "J"): stack.append(.integer(try reader.number(Int32.self, "a number")))
        case 0x8A: stack.append(.integer(try long()))
        case UInt8(ascii: "X"):
            stack.append(.text(try text(length: reader.number(UInt32.self, "a text"))))
        case UInt8(ascii: ")"): try pushTuple([])
        case 0x85...0x87: try pushTuple(popLast(Int(code) - 0x84))
        case UInt8(ascii: "t"): try pushTuple(popToMark())
        case UInt8(ascii: "]"): stack.append(.list(PickleList()))
        case UInt8(ascii: "}"): stack.append(.dictionary(PickleDictionary()))
        case UInt8(ascii: "a"): try append(popLast(1))
        case UInt8(ascii: "e"): try append(popToMark())
        case UInt8(ascii: "s"): try setItems(popLast(2))
        case UInt8(ascii: "u"): try setItems(popToMark())
        case UInt8(ascii: "q"): memo[try reader.number(UInt8.self, "a memo")] = try top()
        case UInt8(ascii: "r"): memo[try reader.number(UInt32.self, "a memo")] = try top()
        case UInt8(ascii: "h"): try recall(reader.number(UInt8.self, "a memo"))
        case UInt8(ascii: "j"): try recall(reader.number(UInt32.self, "a memo"))
        case UInt8(ascii: "c"): try pushGlobal()
        case UInt8(ascii: "Q"): try pushStorage()
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "b"):  // BUILD: a dictionary's attributes, such as the versions of its modules
            _ = try pop()
            guard case .dictionary = try top() else { throw reader.damaged("a pickle that gives state to an object") }
        default:
            throw reader.damaged("a pickle with instruction 0x\(String(code, radix: 16)), which no tensor needs")
        }
    }

    // MARK: - Stack

    private func top() throws(WeightsError) -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.last else {
            throw reader.damaged("a pickle that takes from nothing")
        }
        return value
    }

    private mutating func pop() throws(WeightsError) -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func popLast(_ count: Int) throws(WeightsError) -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else { throw reader.damaged("a pickle that takes from nothing") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(WeightsError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw reader.damaged("a pickle that takes from nothing") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private mutating func recall(_ index: Int) throws(WeightsError) {
        guard let value = memo[index] else { throw reader.damaged("a pickle that recalls what it never stored") }
        stack.append(value)
    }

    // MARK: - Values

    private mutating func long() throws(WeightsError) -> Int {
        let bytes = reader.data[try reader.skip(reader.number(UInt8.self, "a number"), "a number")]
        guard bytes.count <= 8 else { throw reader.damaged("a number of \(bytes.count) bytes") }
        var value: UInt64 = bytes.last.map { $0 < 0x80 } ?? true ? 0 : .max  // two's complement
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        return Int(truncatingIfNeeded: value)
    }

    private mutating func text(length: Int) throws(WeightsError) -> String {
        guard let text = String(validating: reader.data[try reader.skip(length, "a text")], as: UTF8.self) else {
            throw reader.damaged("a text is not UTF-8")
        }
        return text
    }

    private mutating func line() throws(WeightsError) -> String {
        var length = 0
        let longest = min(reader.remaining, 200)
        while length < longest, reader.data[reader.offset + length] != UInt8(ascii: "\n") { length += 1 }
        guard length < longest else { throw reader.damaged("a name without an end") }
        defer { _ = try? reader.skip(1, "") }
        return try text(length: length)
    }

    private mutating func pushTuple(_ elements: [PickleValue]) throws(WeightsError) {
        let depth = 1 + (elements.map(\.depth).max() ?? 0)
        guard elements.count <= PickleValue.maxElements, depth <= PickleValue.maxDepth else {
            throw reader.damaged("a pickle with a tuple that no tensor needs")
        }
        stack.append(.tuple(elements, depth: depth))
    }

    private mutating func pushGlobal() throws(WeightsError) {
        let (module, name) = (try line(), try line())
        guard let global = PickleGlobal(module: module, name: name) else {
            throw reader.damaged(
                "a pickle that calls for '\(printable(module)).\(printable(name))', which no tensor needs")
        }
        stack.append(.global(global))
    }

    private mutating func append(_ values: [PickleValue]) throws(WeightsError) {
        guard case .list(let list) = try top() else { throw reader.damaged("a pickle that appends to no list") }
        for value in values {
            guard case .text(let text) = value else {
                throw reader.damaged("a pickle with a list that no tensor needs")
            }
            list.texts.append(text)
        }
    }

    /// Tensors are kept by name; whatever else a dictionary holds (versions, counts of epochs) is of no use here.
    private mutating func setItems(_ items: [PickleValue]) throws(WeightsError) {
        guard items.count.isMultiple(of: 2), case .dictionary(let dictionary) = try top() else {
            throw reader.damaged("a pickle that fills no dictionary")
        }
        for index in stride(from: 0, to: items.count, by: 2) {
            if case .text(let name) = items[index], case .tensor(let tensor) = items[index + 1] {
                dictionary.tensors.append((name, tensor))
            }
        }
    }

    /// `('storage', type, key, device, count)`, in old files with the view of another storage after it.
    private mutating func pushStorage() throws(WeightsError) {
        guard case .tuple(let parts, _) = try pop(), parts.count == 5 || parts.count == 6,
            case .text("storage") = parts[0], case .global(.storageType(let type)) = parts[1],
            case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0
        else { throw reader.damaged("a pickle with a storage that cannot be understood") }
        if parts.count == 6 {
            guard case .none = parts[5] else { throw reader.damaged("a storage that is a view of another") }
        }
        stack.append(.storage(PickleStorage(key: key, type: type, count: count)))
    }

    private mutating func reduce() throws(WeightsError) {
        guard case .tuple(let arguments, _) = try pop(), case .global(let callee) = try pop() else {
            throw reader.damaged("a pickle that calls no function")
        }
        switch callee {
        case .orderedDictionary where arguments.isEmpty: stack.append(.dictionary(PickleDictionary()))
        case .rebuildTensor: stack.append(.tensor(try tensor(arguments)))
        case .rebuildParameter:
            guard case .tensor? = arguments.first else { throw reader.damaged("a parameter without its tensor") }
            stack.append(arguments[0])
        default: throw reader.damaged("a pickle with a call that no tensor needs")
        }
    }

    /// `(storage, offset, size, stride, requires_grad, hooks)`
    private func tensor(_ arguments: [PickleValue]) throws(WeightsError) -> PickleTensor {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            case .integer(let offset) = arguments[1], offset >= 0,
            let shape = Self.extents(arguments[2]), let strides = Self.extents(arguments[3]),
            shape.count == strides.count
        else { throw reader.damaged("a tensor that cannot be understood") }
        guard let order = Self.axisOrder(shape, strides), let count = Self.product(shape) else {
            throw reader.damaged("a tensor of shape \(shape) with strides \(strides), which leaves gaps")
        }
        guard offset <= storage.count, count <= storage.count - offset else {
            throw reader.damaged("a tensor of shape \(shape) at \(offset) of \(storage.count) elements")
        }
        return PickleTensor(storage: storage, offset: offset, shape: shape, axisOrder: order)
    }

    /// The order of the axes of a tensor without gaps and overlaps, outermost first; nil for any other.
    private static func axisOrder(_ shape: [Int], _ strides: [Int]) -> [Int]? {
        if shape.contains(0) { return Array(shape.indices) }
        // Axes of extent 1 may have any stride and lie anywhere: they stay in front.
        let order = shape.indices.sorted { a, b in
            switch (shape[a] > 1, shape[b] > 1) {
            case (true, true): (strides[b], a) < (strides[a], b)
            case (false, true): true
            case (true, false): false
            case (false, false): a < b
            }
        }
        var distance = 1
        for axis in order.reversed() where shape[axis] > 1 {
            guard strides[axis] == distance else { return nil }
            let (product, overflow) = distance.multipliedReportingOverflow(by: shape[axis])
            if overflow { return nil }
            distance = product
        }
        // A tensor that is row-major but for axes of extent 1 is row-major.
        let moved = order.filter { shape[$0] > 1 }
        return moved == moved.sorted() ? Array(shape.indices) : order
    }

    private static func product(_ shape: [Int]) -> Int? {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            count = product
        }
        return count
    }

    private static func extents(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let elements, _) = value else { return nil }
        var extents: [Int] = []
        for element in elements {
            guard case .integer(let extent) = element, extent >= 0 else { return nil }
            extents.append(extent)
        }
        return extents
    }

    private func printable(_ text: String) -> String {
        String(text.prefix(60).map { $0.isASCII && !$0.isNewline && ($0.asciiValue ?? 0) >= 0x20 ? $0 : "?" })
    }
}
