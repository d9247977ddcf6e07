import ComandaConformance
import Foundation
import Testing

@Suite("The case files")
struct CaseFileTests {
  @Test("they can be read, and their ids are unique")
  func readable() throws {
    let program = URL(filePath: #filePath)
    #expect(try CaseLibrary(directory: CaseLibrary.standardDirectory(program: program)).cases.count > 100)
  }
}
