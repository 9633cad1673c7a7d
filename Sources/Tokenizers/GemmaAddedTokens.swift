/// Finds tokens that are matched in text as they are spelled: a trie over bytes.
struct GemmaAddedTokens: Sendable {
    private struct Node {
        let byte: UInt8
        var id: Int32 = -1  // -1: no token ends here
        var child: Int32 = -1  // first of its children
        var sibling: Int32 = -1
    }

    private var nodes: [Node] = []
    private var roots = [Int32](repeating: -1, count: 256)  // by first byte

    mutating func add(_ spelling: some Collection<UInt8>, id: Int) {
        guard let first = spelling.first else { return }
        if roots[Int(first)] < 0 {
            roots[Int(first)] = Int32(nodes.count)
            nodes.append(Node(byte: first))
        }
        var node = Int(roots[Int(first)])
        for byte in spelling.dropFirst() {
            if let child = child(of: node, byte) {
                node = child
            } else {
                nodes.append(Node(byte: byte, sibling: nodes[node].child))
                nodes[node].child = Int32(nodes.count - 1)
                node = nodes.count - 1
            }
        }
        nodes[node].id = Int32(id)
    }

    /// The longest token that begins at `start`.
    func longest(in text: [UInt8], at start: Int) -> (id: Int, end: Int)? {
        guard case let root = Int(roots[Int(text[start])]), root >= 0 else { return nil }
        var (node, position) = (root, start + 1)
        var found: (id: Int, end: Int)?
        while true {
            if nodes[node].id >= 0 { found = (Int(nodes[node].id), position) }
            guard position < text.count, let child = child(of: node, text[position]) else { return found }
            (node, position) = (child, position + 1)
        }
    }

    private func child(of node: Int, _ byte: UInt8) -> Int? {
        var child = Int(nodes[node].child)
        while child >= 0, nodes[child].byte != byte { child = Int(nodes[child].sibling) }
        return child >= 0 ? child : nil
    }
}
