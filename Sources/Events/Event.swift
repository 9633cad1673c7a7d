/// One thing that happened, numbered and stamped: what subscribers get.
///
/// ```
/// stages ──EventBody──► EventSink ──Event──► socket (NDJSON) · terminal · SRT · VTT
/// ```
/// Stages say what happened and which source it came from; whoever serves the events numbers and stamps them.
package struct Event: Equatable, Sendable {
    /// Strictly rising within a boot, from 1.
    package let seq: Int
    package let time: Timestamp
    /// The id of the source stage.
    package let src: String
    package var body: EventBody

    package init(seq: Int, time: Timestamp, src: String, body: EventBody) {
        self.seq = seq
        self.time = time
        self.src = src
        self.body = body
    }

    package var wire: JSONValue {
        var object: JSONObject = [
            "event": .string(body.name), "seq": .int(seq), "ts": .string(time.description), "src": .string(src)
        ]
        object.merge(body.members)
        return .object(object)
    }
}

/// Takes events from whoever makes them. Never blocks and may be called from any thread.
package protocol EventSink: Sendable {
    /// - Parameter src: the id of the source stage the event comes from.
    func emit(_ body: EventBody, src: String)
}
