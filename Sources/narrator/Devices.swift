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
        let cameras = DeviceList.cameras()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let listing = DeviceListing(
                microphones: microphones.map(MicrophoneListing.init), cameras: cameras.map(CameraListing.init))
            print(String(decoding: try encoder.encode(listing), as: UTF8.self))
        } else {
            let tables =
                (microphones.isEmpty ? [] : [DevicesTable.text(microphones)])
                + (cameras.isEmpty ? [] : [DevicesTable.text(cameras)])
            if !tables.isEmpty { print(tables.joined(separator: "\n\n")) }
        }
        if common.quiet { return }
        if microphones.isEmpty { say(Self.noMicrophones) }
        if cameras.isEmpty { say(Self.noCameras) }
    }

    private func say(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    private static let noMicrophones = """
        narrator: no microphones found; plug one in, and see that you may read /dev/snd (group 'audio'). \
        A pipeline can also listen to a file (audio_file) or to standard input (stdin_pcm).

        """

    private static let noCameras = """
        narrator: no cameras found; plug one in, and see that you may open /dev/video* (group 'video'). \
        A pipeline can also look at files (image_files).

        """
}

/// The JSON form.
private struct DeviceListing: Encodable {
    var microphones: [MicrophoneListing]
    var cameras: [CameraListing]
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

private struct CameraListing: Encodable {
    struct Format: Encodable {
        var format: String
        var sizes: [Size]
    }

    struct Size: Encodable {
        var width: Int
        var height: Int
        var fps: [Double]
    }

    var device: String
    var name: String
    var bus: String
    var state: String
    var formats: [Format]
    var otherFormats: [String]

    enum CodingKeys: String, CodingKey {
        case device, name, bus, state, formats
        case otherFormats = "other_formats"
    }

    init(_ camera: CameraDescription) {
        device = camera.device
        name = camera.card
        bus = camera.bus
        state = camera.state.rawValue
        formats = camera.formats.map { format in
            Format(
                format: format.format.rawValue,
                sizes: format.sizes.map { Size(width: $0.size.width, height: $0.size.height, fps: $0.rates) })
        }
        otherFormats = camera.otherFormats
    }
}
