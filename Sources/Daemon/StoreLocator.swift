package import Catalog
package import Foundation
package import Graph
import Stages

/// Finds models in the store, or where a pipeline file points.
package struct StoreLocator: ModelLocator {
    private let store: ModelStore

    package init(_ store: ModelStore) { self.store = store }

    package var copiesFolder: URL? { store.root.appendingPathComponent(".quantized") }

    package func locate(_ reference: ModelReference) throws -> String {
        do throws(CatalogError) {
            return try store.resolve(reference.name).path
        } catch {
            // A path is relative to the pipeline file.
            if reference.path != reference.name, let found = try? store.resolve(reference.path) { return found.path }
            throw error
        }
    }
}
