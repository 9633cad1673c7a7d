import Media

extension TopologyReader {
    /// Reads the settings of a stage by the specification of its kind.
    mutating func readSettings(
        _ members: [DocumentNode.Entry], of kind: StageKind, at index: Int, _ place: Problem.Place
    ) {
        let title = drafts[index].title
        let common = kind.role == .source ? ["kind"] : ["kind", "from", "queue"]
        checkKeys(
            members.filter { !["from", "queue"].contains($0.key) }, of: title, known: common + kind.settings.map(\.key))
        for setting in kind.settings {
            if let node = members.first(where: { $0.key == setting.key })?.value {
                drafts[index].settings[setting.key] = value(of: node, setting.type, "'\(setting.key)' of \(title)")
            } else if setting.isRequired {
                report(
                    place, "missing key '\(setting.key)' of \(title)",
                    "\(setting.summary.asSentence) It must be \(setting.type.description).")
            } else {
                drafts[index].settings[setting.key] = setting.defaultValue
            }
        }
    }

    /// The value of a node as a type has it; reports and gives nil if it is none.
    mutating func value(of node: DocumentNode, _ type: SettingType, _ title: String) -> SettingValue? {
        if case .stages = type { return stages(node, title) }
        if case .rectangles = type { return rectangles(node, title) }
        if case .text(let text, let isQuoted) = node.content, !node.isNull {
            if case .model = type, !text.isEmpty { return .model(model(text)) }
            if case .modelOrNone = type, !text.isEmpty {
                return text == "none" && aliases[text] == nil ? .string(text) : .model(model(text))
            }
            if case .path = type, !text.isEmpty { return .path(PipelineFile.resolve(text, besides: file)) }
            if let value = type.value(of: text, isQuoted: isQuoted) { return value }
        }
        var remedy = "It must be \(type.description)."
        if case .choice(let names) = type, let text = node.text, let nearest = nearestName(to: text, among: names) {
            remedy = "Did you mean '\(nearest)'?"
        }
        report(node.place, "\(title) is \(node.noun)", remedy)
        return nil
    }

    private mutating func model(_ text: String) -> ModelReference {
        aliases[text]?.isUsed = true
        let name = aliases[text]?.model ?? text
        return ModelReference(
            name: name, weights: aliases[text]?.weights, path: PipelineFile.resolve(name, besides: file))
    }

    /// Four numbers alone are one rectangle.
    private mutating func rectangles(_ node: DocumentNode, _ title: String) -> SettingValue? {
        var rectangles: [UnitRectangle] = []
        let remedy = "It must be \(SettingType.rectangles.description)."
        guard case .list(let items) = node.content else {
            report(node.place, "\(title) is \(node.noun)", remedy)
            return nil
        }
        let isOne = !items.isEmpty && items.allSatisfy { $0.text != nil }
        for item in isOne ? [node] : items {
            if let rectangle = rectangle(item) {
                rectangles.append(rectangle)
            } else {
                report(item.place, "\(title) has \(item.asWritten), which is no rectangle", remedy)
            }
        }
        return .rectangles(rectangles)
    }

    private func rectangle(_ node: DocumentNode) -> UnitRectangle? {
        guard case .list(let items) = node.content, items.count == 4 else { return nil }
        let sides = items.compactMap { item -> Double? in
            guard case .text(let text, false) = item.content else { return nil }
            return SettingType.number(0...1).value(of: text, isQuoted: false)?.number
        }
        guard sides.count == 4 else { return nil }
        return UnitRectangle(left: sides[0], top: sides[1], right: sides[2], bottom: sides[3])
    }

    private mutating func stages(_ node: DocumentNode, _ title: String) -> SettingValue? {
        var ids: [StageID] = []
        let names = drafts.map(\.id.name)
        for item in node.listed {
            guard let name = item.text else {
                report(item.place, "\(title) is \(item.noun)", "It must be \(SettingType.stages.description).")
                continue
            }
            if !names.contains(name) {
                report(
                    item.place, "\(title) names stage '\(name.shortened)', which does not exist",
                    suggestion(for: name, among: names, called: "stages"))
            }
            ids.append(StageID(name))
        }
        return .stages(ids)
    }
}

extension SettingType {
    /// The value that a text means; nil if it means none of this type. Quoted text is never a number.
    fileprivate func value(of text: String, isQuoted: Bool) -> SettingValue? {
        switch self {
        case .integer(let range):
            return isQuoted ? nil : wholeNumber(text, in: range).map(SettingValue.integer)
        case .number(let range):
            return isQuoted ? nil : number(text, in: range).map(SettingValue.number)
        case .milliseconds(let range):
            return isQuoted
                ? nil : wholeNumber(text, in: range).map { SettingValue.duration(MediaTime(milliseconds: $0)) }
        case .seconds(let range):
            return isQuoted
                ? nil
                : number(text, in: range).map { seconds in
                    SettingValue.duration(MediaTime(nanoseconds: Int64((seconds * 1e9).rounded())))
                }
        case .string: return .string(text)
        case .boolean: return isQuoted ? nil : ["true": true, "false": false][text].map(SettingValue.boolean)
        case .choice(let names): return names.contains(text) ? .string(text) : nil
        case .size: return size(text).map(SettingValue.size)
        case .path, .model, .modelOrNone, .stages, .rectangles: return nil
        }
    }

    private func wholeNumber(_ text: String, in range: ClosedRange<Int>) -> Int? {
        let digits = text.first == "-" ? text.dropFirst() : text[...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else { return nil }
        return range.contains(number) ? number : nil
    }

    private func number(_ text: String, in range: ClosedRange<Double>) -> Double? {
        guard text.utf8.allSatisfy({ "0123456789.+-eE".utf8.contains($0) }), let number = Double(text) else {
            return nil
        }
        return range.contains(number) ? number : nil
    }

    private func size(_ text: String) -> PixelSize? {
        let sides = text.split(separator: "x", omittingEmptySubsequences: false)
        let allowed = 1...16_384  // the largest side that cameras and JPEG decoders handle
        guard sides.count == 2, let width = wholeNumber(String(sides[0]), in: allowed),
            let height = wholeNumber(String(sides[1]), in: allowed)
        else { return nil }
        return PixelSize(width: width, height: height)
    }
}

extension String {
    fileprivate var asSentence: String {
        prefix(1).uppercased() + dropFirst() + (hasSuffix(".") ? "" : ".")
    }
}

extension DocumentNode {
    /// A list of texts as it stands in the file; else what it is.
    fileprivate var asWritten: String {
        guard case .list(let items) = content else { return noun }
        let parts = items.map { item in
            guard case .text(let text, let isQuoted) = item.content else { return item.noun }
            return isQuoted ? "\"\(text)\"" : text
        }
        return "[\(parts.joined(separator: ", "))]".shortened
    }
}
