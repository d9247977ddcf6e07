#ifndef COMANDA_UNPACK_ARENA_H
#define COMANDA_UNPACK_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

// Memory for unpacked messages: handed out piece by piece, taken back all at once, used again for the next message.
//
// Allocating is a few instructions and freeing none at all, where protobuf-c otherwise calls malloc for every text and
// every nested message. Not safe for use by two threads at once.
typedef struct UnpackArena UnpackArena;

// An arena that hands out at most `limit` bytes between two resets; NULL when there is no memory.
UnpackArena *unpack_arena_create(size_t limit);

// Gives everything back to the system.
void unpack_arena_destroy(UnpackArena *arena);

// Takes back all that was handed out: every message unpacked into the arena is gone. Keeps memory of an ordinary chunk
// for the next one and returns what an extraordinary one took beyond that.
void unpack_arena_reset(UnpackArena *arena);

// What to pass to protobuf-c. Its `alloc` answers NULL once the limit is reached, on which unpacking fails.
ProtobufCAllocator *unpack_arena_allocator(UnpackArena *arena);

// How many bytes the arena holds of the system's memory.
size_t unpack_arena_capacity(const UnpackArena *arena);

#endif
