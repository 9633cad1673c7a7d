extension EfficientNetModel {
    /// The name of a class; a network of other classes than ImageNet's has numbers only.
    package func name(ofClass index: Int) -> String {
        architecture.classes == ImageNetLabels.names.count ? ImageNetLabels.names[index] : "class \(index)"
    }

    /// The most probable classes, best first.
    /// - Parameters:
    ///   - probabilities: [classes], as a run gives them.
    ///   - count: At most so many.
    package func labels(_ probabilities: [Float], count: Int = 5) -> [(name: String, probability: Float)] {
        probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }.prefix(count).map {
            (name(ofClass: $0), probabilities[$0])
        }
    }
}
