// Shows the thread sanitizer what orders threads inside of Swift's runtime, which is not built for it.
//
// deploy/test links this into every program of its build for the thread sanitizer. Without it tasks that are handed from
// thread to thread, and mutexes that were contended, look like races, and to suppress those would hide true ones.
// This file itself is not instrumented: its own locks must not order anything for the sanitizer.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define ASYNC __attribute__((swiftasynccall))
#define SELF __attribute__((swift_context))

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// The beginning of the context that a task leaves behind while it waits for a continuation.
struct Context {
  struct Context *parent;
  ASYNC void (*resume)(__attribute__((swift_async_context)) struct Context *);
};

// What the functions below stand before.
static SWIFT void (*next_lock_slow)(uint32_t, SELF void *);
static SWIFT void (*next_unlock_slow)(SELF void *);
static SWIFT void *(*next_continuation_init)(struct Context *, uintptr_t);
static SWIFT void *(*current_task)(void);

__attribute__((constructor)) static void begin(void) {
  *(void **)&next_lock_slow = dlsym(RTLD_NEXT, LOCK_SLOW);
  *(void **)&next_unlock_slow = dlsym(RTLD_NEXT, UNLOCK_SLOW);
  *(void **)&next_continuation_init = dlsym(RTLD_NEXT, "swift_continuation_init");
  *(void **)&current_task = dlsym(RTLD_NEXT, "swift_task_getCurrent");
  // The runtime of tasks tells the sanitizer itself, once its hook is called. The sanitizer calls a hook of that name
  // when it begins; linked statically it finds its own empty one.
  void (*hook)(void);
  *(void **)&hook = dlsym(RTLD_NEXT, "__tsan_on_initialize");
  if (hook) hook();
}

// MARK: Mutex of the module Synchronization

// Its fast paths are inlined, so that the sanitizer sees their atomic operations. The slow ones leave the word to the
// kernel.
SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
  next_lock_slow(thread, mutex);
  __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
  __tsan_release(mutex);
  next_unlock_slow(mutex);
}

// MARK: Continuations

// Whoever resumes a continuation releases the task; the runtime says so. A task that came to wait only after that goes on
// without a word of the runtime: so every task that goes on passes here. Not those with checked continuations: the
// runtime begins these by itself.

struct Waiting {
  struct Waiting *next;
  struct Context *context;
  ASYNC void (*resume)(__attribute__((swift_async_context)) struct Context *);
};

static struct Bucket {
  atomic_flag isLocked;
  struct Waiting *first;
} buckets[4096];

static struct Bucket *lock_bucket(struct Context *context) {
  struct Bucket *bucket = &buckets[((uintptr_t)context >> 4) % (sizeof buckets / sizeof *buckets)];
  while (atomic_flag_test_and_set(&bucket->isLocked)) {}
  return bucket;
}

static ASYNC void resumed(__attribute__((swift_async_context)) struct Context *context) {
  struct Bucket *bucket = lock_bucket(context);
  struct Waiting **link = &bucket->first;
  while ((*link)->context != context) link = &(*link)->next;
  struct Waiting *waiting = *link;
  *link = waiting->next;
  atomic_flag_clear(&bucket->isLocked);
  context->resume = waiting->resume;
  free(waiting);
  __tsan_acquire(current_task());
  __attribute__((musttail)) return context->resume(context);
}

SWIFT void *swift_continuation_init(struct Context *context, uintptr_t flags) {
  struct Waiting *waiting = malloc(sizeof *waiting);
  if (!waiting) abort();
  waiting->context = context;
  waiting->resume = context->resume;
  struct Bucket *bucket = lock_bucket(context);
  waiting->next = bucket->first;
  bucket->first = waiting;
  atomic_flag_clear(&bucket->isLocked);
  context->resume = resumed;
  return next_continuation_init(context, flags);
}
