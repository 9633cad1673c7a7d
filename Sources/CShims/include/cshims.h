#ifndef CSHIMS_H
#define CSHIMS_H

// What Swift cannot import. Every function returns 0 or -errno unless it says otherwise.

#include <stdint.h>

// thread.c: pthread_setname_np and the scheduling calls are hidden from Glibc's Swift module.

// Names the calling thread; names longer than 15 bytes are cut.
int cshim_thread_set_name(const char *name);
// Asks for SCHED_FIFO at `priority` (1...99) for the calling thread; children do not inherit it.
// -EPERM is the usual answer and no fault: the thread goes on at normal priority.
int cshim_thread_request_realtime(int priority);
// Blocks every signal in the calling thread, so that its waits are never interrupted by one.
int cshim_thread_block_signals(void);

// socket.c: struct ucred exists under _GNU_SOURCE only.

// Who is at the other end of a connected Unix socket, as the kernel saw it when it connected.
int cshim_peer_credentials(int fd, uint32_t *uid, uint32_t *gid, int32_t *pid);

// alsa.c: an error handler is variadic, and a Swift closure cannot be.

// libasound writes its errors to stderr; after this call it writes nothing, in the whole process.
void cshim_alsa_silence(void);

#endif
