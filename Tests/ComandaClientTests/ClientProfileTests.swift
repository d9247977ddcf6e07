import ComandaClient
import Testing

struct ClientProfileTests {
  @Test("a profile names server, authority and token; a relative authority is beside it")
  func reads() throws {
    let file = try TemporaryFile(#"{"server":"[::1]:7000","ca":"tls/ca.pem","token":"secret-1"}"#, name: "client.json")
    let profile = try ClientProfile(path: file.path)
    #expect(profile.servers.map(\.location) == [.host("::1", port: 7000)])
    #expect(profile.authorityPath == file.path.dropLast("client.json".count) + "tls/ca.pem")
    #expect(profile.token == "secret-1")
  }

  @Test("a profile may name several servers, which count more than the one, and the name in their certificates")
  func severalServers() throws {
    let file = try TemporaryFile(
      #"{"server":"h:1","servers":["h:2","unix:/run/comanda.sock"],"server_name":"orders.internal"}"#)
    let profile = try ClientProfile(path: file.path)
    #expect(profile.servers.map(\.location) == [.host("h", port: 2), .unixSocket(path: "/run/comanda.sock")])
    #expect(profile.serverName == "orders.internal")
    #expect("\(profile)".hasPrefix("h:2, unix:/run/comanda.sock, "))
  }

  @Test("an authority with an absolute path stays, and without one the system's are trusted")
  func authorities() throws {
    let file = try TemporaryFile(#"{"server":"h:1","ca":"/etc/ca.pem"}"#)
    #expect(try ClientProfile(path: file.path).authorityPath == "/etc/ca.pem")
    try file.write(#"{"server":"h:1"}"#.utf8)
    #expect(try ClientProfile(path: file.path).authorityPath == nil)
  }

  @Test(
    "a profile that cannot be used says why",
    arguments: [
      ("{}", "it has no \"server\""), ("[]", "it is not a JSON object"), ("server: x", "it is not valid JSON"),
      (#"{"server":7443}"#, "its \"server\" is not a text"), (#"{"servers":[]}"#, "it has no \"server\""),
      (#"{"servers":"h:1"}"#, "its \"servers\" is not a list of texts"),
      (#"{"servers":["h:1",2]}"#, "its \"servers\" is not a list of texts"),
      (#"{"servers":["h:1","h:0"]}"#, "its \"servers\" is not of the form host:port"),
      (#"{"server":"h:99999"}"#, "host:port"),
      (#"{"server":"h","token":"a b"}"#, "its \"token\" is not a token"),
    ])
  func explains(content: String, problem: String) throws {
    let file = try TemporaryFile(content)
    #expect {
      try ClientProfile(path: file.path)
    } throws: { error in
      "\(error)".contains(problem) && "\(error)".contains(file.path)
    }
  }

  @Test("a file that is too large to be a profile is not read to its end")
  func bounds() throws {
    let file = try TemporaryFile(Array(repeating: UInt8(ascii: " "), count: 65 * 1024))
    #expect { try ClientProfile(path: file.path) } throws: { "\($0)".contains("larger than 64 KiB") }
    #expect { try ClientProfile(path: "/nowhere/client.json") } throws: { "\($0)".contains("No such file") }
  }

  @Test("authorities that are not there show before anything is sent")
  func missingAuthorities() throws {
    let profile = ClientProfile(servers: [try #require(ServerAddress("h:1"))], authorityPath: "/nowhere/ca.pem")
    #expect { try ComandaClient(profile: profile) } throws: { "\($0)".contains("/nowhere/ca.pem") }
  }

  @Test("the token shows in no description, dump or error")
  func hidesToken() throws {
    let profile = ClientProfile(servers: [try #require(ServerAddress("h:1"))], token: "secret-1")
    var dumped = ""
    dump(profile, to: &dumped)
    for text in ["\(profile)", String(reflecting: profile), dumped] { #expect(!text.contains("secret-1")) }
    let file = try TemporaryFile(#"{"server":"h:0","token":"secret-1"}"#)
    #expect { try ClientProfile(path: file.path) } throws: { !"\($0)".contains("secret-1") }
  }

  @Test(
    "addresses are host and port, or the path of a Unix socket",
    arguments: [
      ("localhost", "localhost:7443"), ("127.0.0.1:80", "127.0.0.1:80"), ("[::1]", "[::1]:7443"),
      ("[fe80::1%eth0]:9", "[fe80::1%eth0]:9"), ("orders.example.com:65535", "orders.example.com:65535"),
      ("", nil), (":80", nil), ("h:", nil), ("h:0", nil), ("h:65536", nil), ("h:-1", nil), ("::1", nil), ("[::1", nil),
      ("[]:1", nil), ("a b:1", nil), ("h:1:2", nil), ("h:+1", nil),
      ("unix:/run/comanda.sock", "unix:/run/comanda.sock"), ("unix:", nil), ("unix:comanda.sock", nil),
      ("unix:/" + String(repeating: "x", count: 107), nil),
    ] as [(String, String?)])
  func parsesAddresses(text: String, expected: String?) {
    #expect(ServerAddress(text)?.description == expected)
  }
}
