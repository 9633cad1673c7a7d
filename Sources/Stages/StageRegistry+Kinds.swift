package import Graph

extension StageRegistry {
    /// Every kind of stage there is. A new kind is one file and one line here.
    package static func standard(_ environment: StageEnvironment) -> StageRegistry {
        StageRegistry([
            .audioFile(environment),
            .standardInput(environment),
            .testTone(environment),
            .imageFiles(environment),
            .testPattern(environment),
            .alsa(environment),
            .v4l2(environment),
            .resample(environment),
            .endpoint(environment),
            .transcribe(environment),
            .sceneChange(environment),
            .label(environment),
            .embedAudio(environment),
            .embedImage(environment),
            .decode(environment),
            .events(environment)
        ])
    }
}
