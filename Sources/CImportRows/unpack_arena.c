#include "unpack_arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

// Under the address sanitizer what is not handed out is poisoned, so that reading past a text is found as it would be
// with malloc.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(start, count) __asan_poison_memory_region(start, count)
#define UNPOISON(start, count) __asan_unpoison_memory_region(start, count)
#define RED_ZONE 16
#endif
#endif
#ifndef POISON
#define POISON(start, count) ((void)(start), (void)(count))
#define UNPOISON(start, count) ((void)(start), (void)(count))
#define RED_ZONE 0
#endif

enum {
  BLOCK_BYTES = 256 * 1024,
  // A chunk of 256 KiB unpacks to some 1.2 MiB.
  KEPT_BYTES = 2 * 1024 * 1024,
};

typedef struct Block {
  struct Block *next;
  size_t size;
  alignas(max_align_t) uint8_t bytes[];
} Block;

struct UnpackArena {
  ProtobufCAllocator allocator;
  // The blocks in the order of their use; those after `current` are empty.
  Block *first;
  Block *current;
  // What of the current block is handed out.
  size_t used;
  // What is handed out in all, and its bound.
  size_t handed_out;
  size_t limit;
};

// Makes a block of at least `size` bytes the current one: the next of the kept ones when it is large enough, else a new.
static int advance(UnpackArena *arena, size_t size) {
  Block **link = arena->current != NULL ? &arena->current->next : &arena->first;
  Block *block = *link;
  if (block == NULL || block->size < size) {
    size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    block = malloc(sizeof(Block) + capacity);
    if (block == NULL) return 0;
    block->next = *link;
    block->size = capacity;
    POISON(block->bytes, capacity);
    *link = block;
  }
  arena->current = block;
  arena->used = 0;
  return 1;
}

static void *allocate(void *data, size_t size) {
  UnpackArena *arena = data;
  if (size > arena->limit) return NULL;
  const size_t unit = alignof(max_align_t);
  size_t taken = (size + RED_ZONE + unit - 1) / unit * unit;
  if (taken > arena->limit - arena->handed_out) return NULL;
  if (arena->current == NULL || taken > arena->current->size - arena->used) {
    if (!advance(arena, taken)) return NULL;
  }
  void *piece = arena->current->bytes + arena->used;
  arena->used += taken;
  arena->handed_out += taken;
  UNPOISON(piece, size);
  return piece;
}

static void ignore_free(void *data, void *piece) {
  (void)data;
  (void)piece;
}

UnpackArena *unpack_arena_create(size_t limit) {
  UnpackArena *arena = calloc(1, sizeof *arena);
  if (arena == NULL) return NULL;
  arena->allocator = (ProtobufCAllocator){.alloc = allocate, .free = ignore_free, .allocator_data = arena};
  arena->limit = limit;
  return arena;
}

void unpack_arena_destroy(UnpackArena *arena) {
  Block *next;
  for (Block *block = arena->first; block != NULL; block = next) {
    next = block->next;
    UNPOISON(block->bytes, block->size);
    free(block);
  }
  free(arena);
}

void unpack_arena_reset(UnpackArena *arena) {
  size_t kept = 0;
  Block **link = &arena->first;
  while (*link != NULL) {
    Block *block = *link;
    if (kept + block->size > KEPT_BYTES) {
      *link = block->next;
      UNPOISON(block->bytes, block->size);
      free(block);
    } else {
      kept += block->size;
      POISON(block->bytes, block->size);
      link = &block->next;
    }
  }
  arena->current = NULL;
  arena->used = 0;
  arena->handed_out = 0;
}

ProtobufCAllocator *unpack_arena_allocator(UnpackArena *arena) { return &arena->allocator; }

size_t unpack_arena_capacity(const UnpackArena *arena) {
  size_t capacity = 0;
  for (const Block *block = arena->first; block != NULL; block = block->next) capacity += block->size;
  return capacity;
}
