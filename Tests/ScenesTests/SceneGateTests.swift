import Media
import Scenes
import TestSupport
import Testing

struct SceneGateTests {
    @Test func placeholder() {}
}
