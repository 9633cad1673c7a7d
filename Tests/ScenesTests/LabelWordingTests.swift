import Scenes
import Testing

struct LabelWordingTests {
    typealias Label = SceneUpdate.Label

    @Test(arguments: [
        ([("espresso", 0.85), ("cup", 0.07)], "espresso"),
        ([("espresso", 0.55), ("coffee mug", 0.3), ("cup", 0.05)], "espresso, coffee mug"),
        ([("Egyptian cat", 0.40), ("tiger cat", 0.23), ("tabby cat", 0.21)], "Egyptian cat, tiger cat, tabby cat"),
        ([("a", 0.3), ("b", 0.25), ("c", 0.2), ("d", 0.15)], "a, b, c"),
        ([("basset hound", 0.2), ("redbone coonhound", 0.2)], "perhaps basset hound or redbone coonhound"),
        ([("viaduct", 0.27), ("freight car", 0.09)], "perhaps viaduct"),
        ([("barbell", 0.07), ("crash helmet", 0.03)], "unclear, perhaps barbell"),
        ([], "unclear")
    ])
    func wordsAreAsSureAsTheLabels(labels: [(String, Double)], text: String) {
        #expect(LabelWording.text(labels.map { Label(name: $0.0, probability: Float($0.1)) }) == text)
    }
}
