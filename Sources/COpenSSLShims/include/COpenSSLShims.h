// OpenSSL's function-like and variadic macros as functions, since Swift imports neither.
// Each carries the name of the macro that it stands for, which documents it.
#ifndef COPENSSL_SHIMS_H
#define COPENSSL_SHIMS_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static const uint64_t shim_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t shim_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t shim_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t shim_SSL_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA;

long shim_SSL_CTX_set_mode(SSL_CTX *context, long mode);
long shim_SSL_CTX_clear_mode(SSL_CTX *context, long mode);
int shim_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version);
int shim_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version);
int shim_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *groups);
int shim_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate);
long shim_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode);
int shim_SSL_set_tlsext_host_name(SSL *connection, const char *name);

void shim_BIO_clear_retry_flags(BIO *bio);
void shim_BIO_set_retry_read(BIO *bio);

EVP_PKEY *shim_EVP_EC_gen(const char *curve);

// Whether this processor encrypts AES in hardware; without it ChaCha20 is the faster cipher.
int shim_cpu_has_aes(void);

#endif
