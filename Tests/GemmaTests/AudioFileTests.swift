import Foundation
import Gemma
import Kernels
import Signal
import Testing
import Weights

/// Where the audio encoder's weights and constants come from, and what is refused.
struct AudioFileTests {
    @Test func namesMayLackTheirPrefix() throws {
        let (long, short) = (try SoundFolder(), try SoundFolder(prefix: ""))
        defer { withExtendedLifetime((long, short)) {} }
        let tokens = try SoundFolder.tokens(long.model.audioWeights())
        #expect(tokens.count == 5 * SampleModel.width && tokens.allSatisfy(\.isFinite))
        #expect(try SoundFolder.tokens(short.model.audioWeights()) == tokens)
    }

    @Test(arguments: [QuantizedFormat.q4, .q8]) func aFileIsWhatIsQuantizedInMemory(format: QuantizedFormat) throws {
        let source = try SoundFolder(preprocessor: "{\"mel_floor\": 0.001}")
        let model = try source.model
        let file = try QuantizedFileTests.quantize(model, format, in: source.folder)
        #expect(file.hasAudio && file.config.audio == model.config.audio)
        let (mapped, made) = (try file.audioWeights(), try model.audioWeights(format: format))
        #expect(mapped.mel.floor == 0.001 && mapped.mel == made.mel)
        let tokens = SoundFolder.tokens(mapped)
        #expect(tokens == SoundFolder.tokens(made))
        for id in [mapped.hardIDs.first!, mapped.hardIDs.last!] {
            #expect(mapped.hardEmbedding(id: id) == made.hardEmbedding(id: id))
        }
        // 8 bits whatever the text model has.
        let exact = try SoundFolder.tokens(model.audioWeights())
        let error = worst(tokens, exact)
        #expect(error > 0 && error < 0.25)
    }

    @Test func aModelThatDoesNotHearReadsAllTheSame() throws {
        let folder = try SoundFolder { name, shape in name.hasPrefix("audio_tower.") ? nil : shape }
        let deaf = try folder.model
        #expect(!deaf.hasAudio)
        #expect(throws: GemmaError.self) { try deaf.audioWeights() }
        _ = try deaf.textWeights()
        let other = try ModelFolder()
        let text = try GemmaModel(other.path)
        #expect(!text.hasAudio && text.config.audio == nil)
        withExtendedLifetime((folder, other)) {}
    }

    static let parts = [
        "audio_tower.subsample_conv_projection.conv_0.conv.weight",
        "audio_tower.subsample_conv_projection.conv_1.norm.weight",
        "audio_tower.conformer.1.attention.attn.q_proj.weight",
        "audio_tower.conformer.2.attention.attn.per_dim_scale",
        "audio_tower.conformer.0.lconv1d.depthwise_conv1d.weight",
        "audio_tower.conformer.2.norm.weight", "embed_audio.embedding.weight"
    ]

    @Test(arguments: parts, [true, false]) func aTensorThatDoesNotFitIsNamed(part: String, isMissing: Bool) throws {
        let folder = try SoundFolder { name, shape in
            name != part ? shape : isMissing ? nil : [shape[0] + 1] + shape.dropFirst()
        }
        let error = #expect(throws: WeightsError.self) { try folder.model.audioWeights() }
        #expect("\(error as Any)".contains(part))
        withExtendedLifetime(folder) {}
    }

    /// What the published files do not have is refused before anything is made of it.
    static let settings: [(String, any Sendable)] = [
        ("hidden_size", 1 << 40), ("hidden_size", -64), ("hidden_size", 63), ("hidden_size", "64"),
        ("conf_num_hidden_layers", 0), ("conf_num_hidden_layers", 1_000_000), ("conf_num_attention_heads", 7),
        ("conf_attention_context_left", 0), ("conf_attention_context_left", 1 << 30),
        ("conf_attention_context_right", 1), ("conf_attention_logit_cap", 0), ("conf_conv_kernel_size", 1 << 20),
        ("conf_reduction_factor", 0), ("gradient_clipping", 3), ("sscp_conv_channel_size", [8]),
        ("sscp_conv_channel_size", [8, 1 << 50]), ("sscp_conv_kernel_size", [[3, 3], [5, 5]]),
        ("sscp_conv_stride_size", [[2, 2]]), ("sscp_conv_group_norm_eps", 0), ("rms_norm_eps", -1),
        ("vocab_size", 0), ("vocab_offset", -1), ("input_feat_size", 1 << 33)
    ]

    @Test(arguments: settings.indices) func aHostileConfigurationIsRefused(index: Int) throws {
        let (key, value) = Self.settings[index]
        let folder = try SoundFolder(config: [key: value])
        let error = #expect(throws: GemmaError.self) { try folder.model }
        #expect("\(error as Any)".contains("audio_config.\(key)") || key == "conf_num_attention_heads")
        withExtendedLifetime(folder) {}
    }

    static let preprocessors = [
        "{\"frame_length\": 0}", "{\"frame_length\": 1e18}", "{\"frame_length\": 100}", "{\"frame_length\": 2000}",
        "{\"hop_length\": 0}", "{\"hop_length\": 513}",
        "{\"fft_length\": 511}", "{\"fft_length\": 1022}", "{\"fft_length\": 1e12}", "{\"feature_size\": 64}",
        "{\"sampling_rate\": 8000}", "{\"min_frequency\": 7600}", "{\"max_frequency\": 8001}", "{\"mel_floor\": 0}",
        "{\"mel_floor\": null, \"dither\": 0.1}", "{\"preemphasis\": 2}", "{\"preemphasis_htk_flavor\": false}",
        "{\"input_scale_factor\": 0}", "{\"per_bin_mean\": [1, 2]}", "{\"per_bin_stddev\": 1}", "[]", ""
    ]

    @Test(arguments: preprocessors) func aHostilePreprocessorIsRefused(text: String) throws {
        let folder = try SoundFolder(preprocessor: text)
        let error = #expect(throws: GemmaError.self) { try folder.model.audioWeights() }
        #expect("\(error as Any)".contains(folder.folder.file("preprocessor_config.json")))
    }

    @Test func thePreprocessorsConstantsAreUsed() throws {
        let list = (0..<128).map { "\($0 + 1)" }.joined(separator: ", ")
        let folder = try SoundFolder(
            preprocessor: """
                {"frame_length": 400, "hop_length": 200, "fft_length": 512, "min_frequency": 60, "max_frequency": 8000,
                 "preemphasis": 0.5, "input_scale_factor": 2, "mel_floor": 0.01, "per_bin_mean": [\(list)],
                 "per_bin_stddev": [\(list)], "image_mean": [1, 2]}
                """)
        let mel = try folder.model.audioWeights().mel
        #expect(mel.windowSamples == 400 && mel.hopSamples == 200 && mel.fftSamples == 512)
        #expect(mel.bandHz == 60...8_000 && mel.preemphasis == 0.5 && mel.inputScale == 2 && mel.floor == 0.01)
        #expect(mel.mean.last == 128 && mel.deviation == mel.mean)
        let plain = try SoundFolder(preprocessor: nil)
        #expect(try plain.model.audioWeights().mel == FrameMelConfiguration())
        withExtendedLifetime((folder, plain)) {}
    }

    @Test func anotherFrontEndCanBeGiven() throws {
        let folder = try SoundFolder()
        let model = try folder.model
        let other = try model.audioWeights(mel: .liteRT())
        #expect(other.mel.inputScale == 32_768)
        #expect(try worst(SoundFolder.tokens(other), SoundFolder.tokens(model.audioWeights())) > 0.01)
        withExtendedLifetime(folder) {}
    }
}
