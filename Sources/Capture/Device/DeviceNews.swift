package import Media

/// What there is to tell of a device beside what it delivers.
package enum DeviceNews: Equatable, Sendable {
    /// It delivers no more; `message` says what happened and what to do.
    case lost(message: String, at: MediaTime)
    /// It delivers again; `lost` of its stream is missing.
    case restored(lost: MediaTime, at: MediaTime)
    /// It went on delivering, but `lost` before `at` was not taken in time.
    case overrun(lost: MediaTime, at: MediaTime)
    /// While it is lost, something else stands in the way.
    case obstacle(message: String)
}

/// News that wait for their reader.
struct NewsQueue<News: Sendable>: Sendable {
    /// Unread news beyond this many: the oldest go, as a reader that far behind cannot follow anyway.
    private static var longest: Int { 64 }

    private var news: [News] = []

    mutating func append(_ one: News) {
        if news.count == Self.longest { news.removeFirst() }
        news.append(one)
    }

    mutating func next() -> News? { news.isEmpty ? nil : news.removeFirst() }
}
