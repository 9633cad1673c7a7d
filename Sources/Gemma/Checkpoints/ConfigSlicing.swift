/// The `config.json` of a sub-model that is written as a model of its own.
enum ConfigSlicing {
    /// - Parameters:
    ///   - values: Of the whole model.
    ///   - sliced: The sub-model.
    /// - Throws: `GemmaError.badSlice` if no config can say what it is.
    static func values(
        _ values: [String: ConfigValue], for sliced: GemmaTextConfig, path: String
    ) throws(GemmaError) -> [String: ConfigValue] {
        func numbers(_ list: some Sequence<Int>) -> ConfigValue { .list(list.map { .number(Double($0)) }) }
        var text = values
        if case .object(let nested)? = values["text_config"] { text = nested }
        text["num_hidden_layers"] = .number(Double(sliced.layers.count))
        text["intermediate_size"] = numbers(sliced.layers.map(\.feedForward))
        text["layer_types"] = .list(
            sliced.layers.map { .text($0.isSliding ? "sliding_attention" : "full_attention") })
        text["num_kv_shared_layers"] = .number(
            Double(sliced.layers.indices.filter { !sliced.ownsKeyValues($0) }.count))
        text["activation_sparsity_pattern"] = .list(sliced.layers.map { .number($0.sparsity) })
        var result = text
        if values["text_config"] != nil {
            result = values
            result["text_config"] = .object(text)
        }
        let read = try GemmaConfig(result, source: path).text
        guard read == sliced.renumbered else {
            throw .badSlice(reason: "as a model of its own its layers would share other keys and values")
        }
        return result
    }
}

extension GemmaTextConfig {
    /// The same layers in a checkpoint that holds no others.
    fileprivate var renumbered: GemmaTextConfig {
        var result = self
        result.storedLayers = layers.count
        for index in layers.indices {
            result.layers[index].stored = index
            result.layers[index].storedFeedForward = layers[index].feedForward
        }
        return result
    }
}
