/// What labels come to in words: as sure as they are.
///
/// ```
/// espresso 0.85, cup 0.07                        espresso
/// Egyptian cat 0.40, tiger cat 0.23, tabby 0.21  Egyptian cat, tiger cat, tabby
/// basset hound 0.20, redbone coonhound 0.20      perhaps basset hound or redbone coonhound
/// barbell 0.07, crash helmet 0.03                unclear, perhaps barbell
/// ```
package enum LabelWording {
    /// Below it even the best label is a guess among a thousand.
    static let leastTop: Float = 0.1
    /// A label is named if it has this share of the best one's weight, and `leastTop` at least.
    static let leastShare: Float = 0.3
    static let mostNamed = 3
    /// What the named labels must weigh together to be told as a fact.
    static let sureFrom: Float = 0.5

    /// - Parameter labels: Most probable first.
    package static func text(_ labels: [SceneUpdate.Label]) -> String {
        guard let top = labels.first else { return "unclear" }
        guard top.probability >= leastTop else { return "unclear, perhaps \(top.name)" }
        let named = labels.prefix(mostNamed).prefix { $0.probability >= max(leastTop, leastShare * top.probability) }
        let isSure = named.reduce(0) { $0 + $1.probability } >= sureFrom
        let names = named.map(\.name)
        return isSure ? names.joined(separator: ", ") : "perhaps " + names.joined(separator: " or ")
    }
}
