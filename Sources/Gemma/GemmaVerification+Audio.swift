import Kernels
import Weights

extension GemmaVerification {
    /// Everything that the audio encoder does with `audio.waveform`.
    mutating func compareAudio(_ model: GemmaModel, with goldens: Checkpoint, pool: ThreadPool) throws {}
}
