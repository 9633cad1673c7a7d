/// A first-in, first-out queue that knows its policy and counts what it drops.
struct BoundedQueue<Element> {
    var policy: QueuePolicy
    /// Elements dropped for want of room.
    private(set) var dropped = 0
    /// The most elements it ever held.
    private(set) var highWater = 0
    private var elements: [Element] = []

    init(_ policy: QueuePolicy) { self.policy = policy }

    var count: Int { elements.count }
    var isEmpty: Bool { elements.isEmpty }
    var first: Element? { elements.first }
    /// A push would neither drop nor overfill.
    var hasRoom: Bool { count < policy.capacity }
    /// A sender must wait now.
    var holdsUp: Bool { policy.whenFull == .wait && !hasRoom }

    /// Adds an element by the policy. A queue that waits takes it even when full: its sender asks `holdsUp` before.
    mutating func push(_ element: Element) {
        if !hasRoom {
            switch policy.whenFull {
            case .wait: break
            case .dropOldest:
                elements.removeFirst()
                dropped += 1
            case .dropNewest:
                dropped += 1
                return
            }
        }
        elements.append(element)
        highWater = max(highWater, count)
    }

    mutating func pop() -> Element? { isEmpty ? nil : elements.removeFirst() }

    mutating func removeAll(where isUnwanted: (Element) -> Bool = { _ in true }) {
        elements.removeAll(where: isUnwanted)
    }
}
