import ArgumentParser
import Capture
import Daemon
import Events
import Foundation

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
            print(DeviceListing.wire(microphones, cameras).jsonText)
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
