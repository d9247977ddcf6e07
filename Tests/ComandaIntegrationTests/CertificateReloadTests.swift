import ComandaProtos
import ComandaRPC
import ComandaTLS
import ComandaTestRun
import ComandaTransport
import Foundation
import Glibc
import Testing

/// `comanda-server` with certificates from files, and what happens to the files.
@Suite("SIGHUP", .timeLimit(.minutes(3)))
struct CertificateReloadTests {
  @Test("has new connections see the files' new certificate and key, while calls of the old connection go on")
  func renewal() async throws {
    let database = try await Server.shared()
    let account = try await Account.make(on: database)
    let (old, new) = try (makeCertificates(), makeCertificates())
    let files = try CertificateFiles(holding: old)
    try await Replica.with(database, certificate: files.certificate, key: files.key) { server in
      try await server.withChannel(trust: old.trust, token: account.token) { channel in
        let imports = Comanda_V1_BatchImportService.Client(channel)
        let created = try await imports.createImport(
          .with {
            $0.requestID = "1"
            $0.spec.sourceName = "orders.csv"
          })
        var watch = try await imports.watchImport(.with { $0.importID = created.importID }).makeAsyncIterator()
        #expect(try await watch.next()?.state == .receiving)

        try files.install(new)
        #expect(try await serves(server, to: old.trust), "nothing changes before the signal")
        try await server.reload(until: "read anew; new connections get it")

        #expect(try await serves(server, to: new.trust))
        #expect(try await !serves(server, to: old.trust))
        _ = try await imports.cancelImport(
          .with {
            $0.requestID = "2"
            $0.importID = created.importID
          })
        #expect(try await watch.next()?.state == .canceled)
      }
    }
  }

  /// What is done to the files.
  enum Fault: CaseIterable {
    case damagedCertificate, noCertificate, missingCertificate, damagedKey, keyOfAnother
  }

  @Test("with files that cannot be used keeps the former certificate, and logs what is wrong with which file")
  func faults() async throws {
    let (old, new) = try (makeCertificates(), makeCertificates())
    let files = try CertificateFiles(holding: old)
    try await Replica.with(Server.shared(), certificate: files.certificate, key: files.key) { server in
      for (number, fault) in Fault.allCases.enumerated() {
        try files.install(old)
        try await server.reload(until: files.apply(fault, of: new))
        #expect(server.log.split(separator: "the old one stays").count == number + 2, "\(fault): \(server.log)")
        #expect(try await serves(server, to: old.trust), "\(fault)")
      }
      try files.install(new)
      try await server.reload(until: "read anew; new connections get it")
      #expect(try await serves(server, to: new.trust))
    }
  }

  @Test("does not end a server that starts or stops")
  func startAndStop() async throws {
    let directory = try TestRun.makeDirectory("server")
    let server = try ChildProcess(
      Program.path("comanda-server"), ["--embedded", directory, "--listen", "127.0.0.1:0"])
    try await eventually("the server starts", explain: { server.transcript }) {
      server.errors.contains("creating the database")
    }
    server.kill(SIGHUP)
    try await eventually("the server is ready", explain: { server.transcript }) {
      if let end = server.ended { throw HarnessError("the server ended with \(end)\n\(server.transcript)") }
      return server.output.hasSuffix("\n")
    }
    server.kill(SIGTERM)
    try await eventually("the server ends", explain: { server.transcript }) {
      server.kill(SIGHUP)
      return server.ended != nil
    }
    #expect(server.ended == .exit(0), "\(server.transcript)")
  }

  private func makeCertificates() throws -> DevelopmentCertificates {
    try DevelopmentCertificates(in: TestRun.makeDirectory("certificates"))
  }

  /// Whether a new client that trusts only these authorities reaches the server; it has no session to resume.
  private func serves(_ server: Replica, to trust: TLSConfiguration.Trust) async throws -> Bool {
    do {
      let health = try await server.withChannel(trust: trust) {
        try await Comanda_V1_HealthService.Client($0).getHealth(.init())
      }
      return health.state == .serving
    } catch let error as RPCError where error.code == .unauthenticated {
      return false
    }
  }
}

/// The two files that a server was told of.
private struct CertificateFiles {
  let certificate: String
  let key: String

  init(holding certificates: DevelopmentCertificates) throws {
    let directory = try TestRun.makeDirectory("tls")
    certificate = directory + "/server.pem"
    key = directory + "/server.key"
    try install(certificates)
  }

  /// Replaces both.
  func install(_ certificates: DevelopmentCertificates) throws {
    try replace(certificate, with: text(of: certificates.certificateFile))
    try replace(key, with: text(of: certificates.privateKeyFile))
  }

  /// Does it to the files; returns what the server has to say of it.
  func apply(_ fault: CertificateReloadTests.Fault, of other: DevelopmentCertificates) throws -> String {
    switch fault {
    case .damagedCertificate:
      let whole = try text(of: certificate)
      try replace(certificate, with: String(whole.prefix(whole.count / 2)))
      return "server certificate \(certificate) holds a damaged certificate"
    case .noCertificate:
      try replace(certificate, with: "")
      return "server certificate \(certificate) holds no certificate"
    case .missingCertificate:
      try FileManager.default.removeItem(atPath: certificate)
      return "server certificate \(certificate) cannot be read: No such file or directory"
    case .damagedKey:
      try replace(key, with: "-----BEGIN PRIVATE KEY-----\n")
      return "server private key \(key) is damaged or encrypted"
    case .keyOfAnother:
      try replace(key, with: text(of: other.privateKeyFile))
      return "the server private key \(key) does not belong to the first certificate in the server certificate "
        + certificate
    }
  }

  private func text(of file: String) throws -> String {
    try String(contentsOfFile: file, encoding: .utf8)
  }

  private func replace(_ file: String, with text: String) throws {
    try text.write(toFile: file, atomically: true, encoding: .utf8)
  }
}
