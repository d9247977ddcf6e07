import COpenSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A digest context for each thread, made at its first use and freed with the thread.
enum ThreadContext {
  static var current: OpaquePointer {
    if let context = pthread_getspecific(key) {
      return OpaquePointer(context)
    }
    guard let context = EVP_MD_CTX_new() else { fatalError("libcrypto: EVP_MD_CTX_new failed") }
    pthread_setspecific(key, UnsafeRawPointer(context))
    return context
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { context in
      // The parameter is optional on one platform only, which `flatMap` takes either way.
      EVP_MD_CTX_free(Optional(context).flatMap { OpaquePointer($0) })
    }
    guard status == 0 else { fatalError("pthread_key_create: error \(status)") }
    return key
  }()
}
