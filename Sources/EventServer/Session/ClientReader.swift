/// Turns the bytes of one client into requests of an `Exchange`, one after the other.
struct ClientReader {
    private let exchange: Exchange
    private let id: Int
    private let role: Role
    private let lineLimit: Int
    private var splitter: LineSplitter

    init(exchange: Exchange, id: Int, role: Role, lineLimit: Int) {
        self.exchange = exchange
        self.id = id
        self.role = role
        self.lineLimit = lineLimit
        splitter = LineSplitter(limit: lineLimit)
    }

    /// - Returns: whether the client still speaks the protocol; if not, it has been told and is let go.
    mutating func feed(_ bytes: some Collection<UInt8>) async -> Bool { await handle(splitter.append(bytes)) }

    /// The client will send no more. A last line without its line feed counts.
    mutating func finish() async {
        _ = await handle(splitter.finish())
        exchange.endInput(id)
    }

    private func handle(_ pieces: [LineSplitter.Piece]) async -> Bool {
        for piece in pieces {
            switch piece {
            case .line(let line) where line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }): continue
            case .line(let line): await exchange.handle(line, from: id, role: role)
            case .tooLong:
                let message = "A request line is at most \(lineLimit) bytes. Send a shorter one."
                exchange.refuse(id, CommandError(.tooLong, message))
                return false
            }
        }
        return true
    }
}
