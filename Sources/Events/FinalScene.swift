/// Which view an event is about, and why it is told.
package struct SceneMoment: Equatable, Sendable {
    package enum Reason: String, Sendable, CaseIterable {
        case first, change, interval, ask
    }

    /// Unique per boot.
    package var scene: Int
    /// Stream time of the picture.
    package var frameMs: Int
    package var reason: Reason

    package init(scene: Int, frameMs: Int, reason: Reason) {
        self.scene = scene
        self.frameMs = frameMs
        self.reason = reason
    }
}

/// The last word on a scene; it never changes.
package struct FinalScene: Equatable, Sendable {
    /// A class that a labeller found.
    package struct Label: Equatable, Sendable {
        package var name: String
        /// 0...1
        package var probability: Double

        package init(name: String, probability: Double) {
            self.name = name
            self.probability = probability
        }
    }

    package var moment: SceneMoment
    /// All of it, whatever deltas came before.
    package var text: String
    /// Most probable first; nil from a model without classes.
    package var labels: [Label]?
    /// What the description took of a language model; 0 from a labeller.
    package var tokens: Int
    /// From the picture's arrival at the model to this text.
    package var latencyMs: Int

    package init(moment: SceneMoment, text: String, labels: [Label]? = nil, tokens: Int = 0, latencyMs: Int) {
        self.moment = moment
        self.text = text
        self.labels = labels
        self.tokens = tokens
        self.latencyMs = latencyMs
    }

    /// `[camera] espresso, coffee mug`: the scene as one line of a text, without its line feed.
    package func line(src: String) -> String {
        "[\(src)] " + trimmed(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }
}

extension SceneMoment {
    var members: JSONObject {
        ["scene": .int(scene), "frame_ms": .int(frameMs), "reason": .string(reason.rawValue)]
    }

    /// Those of a delta.
    func members(adding text: String) -> JSONObject {
        var object = members
        object["text"] = .string(text)
        return object
    }

    /// The scene that a message of the socket is about; nil if a member is missing.
    package init?(wire: JSONValue) {
        guard let scene = wire["scene"]?.int, let frameMs = wire["frame_ms"]?.int,
            let reason = wire["reason"]?.string.flatMap(Reason.init)
        else { return nil }
        self.init(scene: scene, frameMs: frameMs, reason: reason)
    }
}

extension FinalScene {
    var members: JSONObject {
        var object = moment.members
        object["text"] = .string(text)
        if let labels, !labels.isEmpty { object["labels"] = .array(labels.map(\.wire)) }
        object["tokens"] = .int(tokens)
        object["latency_ms"] = .int(latencyMs)
        return object
    }

    /// The final in a message of the socket; nil if it is another event, or a member is missing.
    package init?(wire: JSONValue) {
        guard wire["event"] == "scene.final", let moment = SceneMoment(wire: wire), let text = wire["text"]?.string,
            let tokens = wire["tokens"]?.int, let latencyMs = wire["latency_ms"]?.int
        else { return nil }
        self.init(
            moment: moment, text: text, labels: wire["labels"]?.array?.compactMap(Label.init(wire:)), tokens: tokens,
            latencyMs: latencyMs)
    }
}

extension FinalScene.Label {
    /// Four digits: models are compared to a thousandth.
    var wire: JSONValue { ["label": .string(name), "p": .double((probability * 10_000).rounded() / 10_000)] }

    init?(wire: JSONValue) {
        guard let name = wire["label"]?.string, let probability = wire["p"]?.double else { return nil }
        self.init(name: name, probability: probability)
    }
}
