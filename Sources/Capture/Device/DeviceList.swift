import CALSA
import CShims
import Glibc
package import Media

/// A microphone as `narrator devices` shows it.
package struct MicrophoneDescription: Sendable, Equatable {
    package enum State: String, Sendable { case free, busy, notPermitted = "not permitted", unusable }

    /// What `device:` takes.
    package var name: String
    /// What the maker calls it.
    package var label: String
    package var state: State
    /// What follows is empty or nil unless the device could be opened.
    package var formats: [SampleFormat] = []
    /// The usual rates that it has.
    package var ratesHz: [Int] = []
    package var channels: ClosedRange<Int>?
}

/// The capture devices of this machine.
package enum DeviceList {
    /// Hardware first, then the names the ALSA configuration adds (`default`, a sound server, own ones). None at all
    /// is no error.
    package static func microphones() -> [MicrophoneDescription] {
        silenceALSA()
        let hardware = cards().map { describe(name: $0.name, label: $0.label) }
        var names = hints().filter { isWorthShowing($0.name) }
        if !names.contains(where: { $0.name == "default" }) {
            names.insert(("default", "The system's default"), at: 0)  // always there, but only some systems announce it
        }
        let configured = names.compactMap { hint in
            let described = describe(name: hint.name, label: hint.label)
            // A configured name often stands for nothing on this machine.
            return described.state == .unusable ? nil : described
        }
        return hardware + configured
    }

    /// Names of the cards that capture; nothing is opened that another program might want.
    static var cardNames: [String] {
        silenceALSA()
        return cards().map(\.name)
    }

    /// What stands in the way of a microphone, now; nil if nothing does.
    package static func obstacle(microphone name: String) -> String? {
        do throws(DeviceTrouble) {
            snd_pcm_close(try openALSA(name))
            return nil
        } catch { return error.message(.microphone, name) }
    }

    /// The hardware that captures, with what its makers call it.
    private static func cards() -> [(name: String, label: String)] {
        var found: [(name: String, label: String)] = []
        var card: CInt = -1
        while snd_card_next(&card) == 0, card >= 0 {
            var control: OpaquePointer?
            guard snd_ctl_open(&control, "hw:\(card)", CInt(SND_CTL_NONBLOCK)) == 0, let control else { continue }
            defer { snd_ctl_close(control) }
            found += captureDevices(control)
        }
        return found
    }

    private static func captureDevices(_ control: OpaquePointer) -> [(name: String, label: String)] {
        var cardInfo: OpaquePointer?
        var info: OpaquePointer?
        snd_ctl_card_info_malloc(&cardInfo)
        snd_pcm_info_malloc(&info)
        defer {
            snd_ctl_card_info_free(cardInfo)
            snd_pcm_info_free(info)
        }
        guard snd_ctl_card_info(control, cardInfo) == 0 else { return [] }
        // By id, not by number: numbers change with the order of plugging.
        let id = String(cString: snd_ctl_card_info_get_id(cardInfo))
        let cardName = String(cString: snd_ctl_card_info_get_name(cardInfo))
        var found: [(name: String, label: String)] = []
        var device: CInt = -1
        while snd_ctl_pcm_next_device(control, &device) == 0, device >= 0 {
            snd_pcm_info_set_device(info, CUnsignedInt(device))
            snd_pcm_info_set_subdevice(info, 0)
            snd_pcm_info_set_stream(info, SND_PCM_STREAM_CAPTURE)
            guard snd_ctl_pcm_info(control, info) == 0 else { continue }  // it only plays
            let label = "\(cardName), \(String(cString: snd_pcm_info_get_name(info)))"
            found.append(("hw:CARD=\(id),DEV=\(device)", label))
        }
        return found
    }

    /// Names that are for capture, with the first line of what they say of themselves.
    private static func hints() -> [(name: String, label: String)] {
        var list: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        guard snd_device_name_hint(-1, "pcm", &list) == 0, let list else { return [] }
        defer { snd_device_name_free_hint(list) }
        func text(_ hint: UnsafeMutableRawPointer, _ key: String) -> String? {
            guard let value = snd_device_name_get_hint(hint, key) else { return nil }
            defer { free(value) }
            return String(cString: value)
        }
        var found: [(name: String, label: String)] = []
        var next = list
        while let hint = next.pointee {
            next += 1
            guard let name = text(hint, "NAME"), text(hint, "IOID") ?? "Input" == "Input" else { continue }
            let label = text(hint, "DESC")?.split(separator: "\n").first.map(String.init) ?? name
            found.append((name, label))
        }
        return found
    }

    /// Not: a card under a further name, silence, pure converters, and servers that would be started by being asked.
    private static func isWorthShowing(_ name: String) -> Bool {
        let dull = [
            "null", "lavrate", "samplerate", "speexrate", "speex", "upmix", "vdownmix", "jack", "oss", "usbstream"
        ]
        return !name.contains("CARD=") && !dull.contains(String(name.prefix { $0 != ":" }))
    }

    private static func describe(name: String, label: String) -> MicrophoneDescription {
        var description = MicrophoneDescription(name: name, label: label, state: .free)
        var handle: OpaquePointer?
        do throws(DeviceTrouble) { handle = try openALSA(name) } catch {
            description.state =
                switch error {
                case .busy: .busy
                case .denied: .notPermitted
                default: .unusable
                }
        }
        guard let pcm = handle else { return description }
        defer { snd_pcm_close(pcm) }
        var allocated: OpaquePointer?
        snd_pcm_hw_params_malloc(&allocated)
        let parameters = allocated!
        defer { snd_pcm_hw_params_free(parameters) }
        guard snd_pcm_hw_params_any(pcm, parameters) >= 0 else {
            description.state = .unusable
            return description
        }
        description.formats = SampleFormat.allCases.filter {
            snd_pcm_hw_params_test_format(pcm, parameters, $0.alsa) == 0
        }
        // Its own rates, not those that ALSA would make of them.
        snd_pcm_hw_params_set_rate_resample(pcm, parameters, 0)
        description.ratesHz = [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000].filter {
            snd_pcm_hw_params_test_rate(pcm, parameters, CUnsignedInt($0), 0) == 0
        }
        var least: CUnsignedInt = 0
        var most: CUnsignedInt = 0
        snd_pcm_hw_params_get_channels_min(parameters, &least)
        snd_pcm_hw_params_get_channels_max(parameters, &most)
        // Devices without an opinion claim any number of channels.
        if least > 0, least <= most {
            description.channels = Int(least)...Int(min(most, CUnsignedInt(SoundLimits.channels.upperBound)))
        }
        return description
    }
}
