import ComandaCrypto
import ComandaDomain
import ComandaServices
import Foundation

extension ServiceEnvironment {
  /// The system's clock, and SHA-256 by libcrypto.
  static let live = ServiceEnvironment(
    now: {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    },
    sha256: { bytes in
      let digest = SHA256.hash(bytes)
      return SHA256Digest { target in digest.withUnsafeBytes { target.copyMemory(from: $0) } }
    })
}
