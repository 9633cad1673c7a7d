import Graph
import Testing

struct GraphDrawingTests {
    private let text = """
        name: a "b"
        stages:
          m: { kind: microphone }
          s: { kind: resample, from: m }
          u: { kind: endpoint, from: s, vad: v }
          t: { kind: transcribe, from: u, model: w }
          end: { kind: events, from: t }
        """

    @Test func mermaidShowsStagesAndWhatTravels() throws {
        let drawing = GraphDrawing.mermaid.text(of: try ExampleKinds.parse(text))
        #expect(
            drawing == """
                flowchart LR
                    m_(["m<br/><small>microphone</small>"])
                    s_["s<br/><small>resample</small>"]
                    u_["u<br/><small>endpoint</small>"]
                    t_["t<br/><small>transcribe</small>"]
                    end_[/"end<br/><small>events</small>"/]
                    m_ -->|audio| s_
                    s_ -->|speech| u_
                    u_ -->|utterances| t_
                    t_ -->|transcripts| end_

                """)
    }

    @Test func dotQuotesWhatItMust() throws {
        let drawing = GraphDrawing.dot.text(of: try ExampleKinds.parse(text))
        #expect(drawing.hasPrefix("digraph \"a \\\"b\\\"\" {\n    rankdir=LR\n"))
        #expect(drawing.contains("    \"m\" [label=\"m\\nmicrophone\", shape=oval]\n"))
        #expect(drawing.contains("    \"t\" -> \"end\" [label=\"transcripts\"]\n}\n"))
    }
}
