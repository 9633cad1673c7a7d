package import Media

/// The name of a stage in its pipeline file.
package struct StageID: Hashable, Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }
}

extension StageID: CustomStringConvertible, ExpressibleByStringLiteral {
    package init(stringLiteral name: String) { self.init(name) }
    package var description: String { name }
}

/// What kind of value a link carries: an output fits an input of the same name.
///
/// It may be narrower than the Swift type: a stage that gives only 16 kHz mono names its output so, and a stage that
/// wants nothing else names its input the same, so that a file with the wrong link is refused before it runs.
package struct PortType: Hashable, Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }
}

extension PortType: CustomStringConvertible {
    package var description: String { name }
}

/// A value that can travel along a link.
package protocol PortValue: Sendable {
    static var port: PortType { get }
}

extension AudioBlock: PortValue {
    package static let port = PortType("audio")
}

extension VideoFrame: PortValue {
    package static let port = PortType("pictures")
}

/// A value on its way through the graph.
package struct Packet: Sendable {
    package let value: any PortValue
    /// The source stage that the value stems from: the `src` of events.
    package let origin: StageID

    package init(_ value: any PortValue, origin: StageID) {
        self.value = value
        self.origin = origin
    }

    /// The value as a `Value`.
    /// - Throws: `GraphError.wrongValue`: the stages on both ends of a link disagree, which is our fault.
    package func value<Value: PortValue>(as type: Value.Type) throws(GraphError) -> Value {
        guard let value = value as? Value else {
            throw .wrongValue(got: "\(Swift.type(of: value))", wanted: "\(type)")
        }
        return value
    }
}
