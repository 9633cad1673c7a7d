import EventServer
import Events

extension Ask {
    /// Asks the running daemon and prints its answer as it comes.
    func askDaemon(_ output: StandardOutput) throws {
        var connection = try client.connect()
        // The answer may begin before the reply is read: both come on one line.
        var listener = try client.connect()
        let subscribed = try withClientErrors { () throws(ClientError) in
            try listener.request("subscribe", ["events": ["answer.*"]])
        }
        if let refusal = refusal(in: subscribed.value) { throw refusal }
        var fields: JSONObject = ["prompt": .string(question)]
        if let frame { fields["frame"] = Int(frame).map { .int($0) } ?? .string(frame) }
        if let speechS { fields["speech_s"] = .int(speechS) }
        let reply = try withClientErrors { () throws(ClientError) in try connection.request("ask", fields) }
        if let refusal = refusal(in: reply.value) { throw refusal }
        guard let number = reply.value["result"]?["ask"]?.int else {
            throw CommandFailure(.unavailable, "\(ClientError.notNarrator)")
        }
        while let message = try withClientErrors({ () throws(ClientError) in try listener.nextMessage() }) {
            guard message.value["ask"]?.int == number else { continue }
            if message.value["event"]?.string == "answer.delta" {
                try output.write(message.value["text"]?.string ?? "")
            } else {
                return try output.write("\n")
            }
        }
        throw CommandFailure(.unavailable, "\(ClientError.ended)")
    }
}
