import ArgumentParser
import Capture
import Foundation
import Media

/// `narrator devices`: what this machine can hear and see with.
struct Devices: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List microphones and cameras, and what they offer.")

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let microphones = DeviceList.microphones()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let listing = DeviceListing(microphones: microphones.map(MicrophoneListing.init), cameras: [])
            print(String(decoding: try encoder.encode(listing), as: UTF8.self))
        } else if !microphones.isEmpty {
            print(DevicesTable.text(microphones))
        }
        if microphones.isEmpty && !common.quiet {
            FileHandle.standardError.write(Data(Self.nothingFound.utf8))
        }
    }

    private static let nothingFound = """
        narrator: no microphones found; plug one in, and see that you may read /dev/snd (group 'audio'). \
        A pipeline can also listen to a file (audio_file) or to standard input (stdin_pcm).

        """
}

/// The JSON form.
private struct DeviceListing: Encodable {
    var microphones: [MicrophoneListing]
    var cameras: [String]
}

private struct MicrophoneListing: Encodable {
    var device: String
    var name: String
    var state: String
    var formats: [String]
    var ratesHz: [Int]
    var channelsMin: Int?
    var channelsMax: Int?

    enum CodingKeys: String, CodingKey {
        case device, name, state, formats
        case ratesHz = "rates_hz"
        case channelsMin = "channels_min"
        case channelsMax = "channels_max"
    }

    init(_ microphone: MicrophoneDescription) {
        device = microphone.name
        name = microphone.label
        state = microphone.state.rawValue
        formats = microphone.formats.map(\.rawValue)
        ratesHz = microphone.ratesHz
        channelsMin = microphone.channels?.lowerBound
        channelsMax = microphone.channels?.upperBound
    }
}
