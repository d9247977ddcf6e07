// libpq, and the Linux interfaces around its sockets that Swift's Glibc module leaves out.
#ifndef COMANDA_CLIBPQ_SHIMS_H
#define COMANDA_CLIBPQ_SHIMS_H

#include <libpq-fe.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// Names the calling thread; Swift imports no variadic function.
static inline void comanda_set_thread_name(const char *name) { prctl(PR_SET_NAME, name); }

#endif
