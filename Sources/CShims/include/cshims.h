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

// v4l2.c: v4l2_open and v4l2_ioctl are variadic, and the requests are function-like macros.

// libv4l2 writes its complaints to stderr; after this call it writes nothing, in the whole process. Call it once.
void cshim_v4l2_silence(void);
// Opens a node for reading and writing, without blocking; a descriptor for libv4l2's own calls only, or -errno.
int cshim_v4l2_open(const char *path);
// Each takes the structure that gives it its name in linux/videodev2.h: `v4l2_capability`, `v4l2_fmtdesc`, ...
int cshim_v4l2_query_capability(int fd, void *capability);
int cshim_v4l2_enumerate_format(int fd, void *fmtdesc);
int cshim_v4l2_enumerate_size(int fd, void *frmsizeenum);
int cshim_v4l2_enumerate_interval(int fd, void *frmivalenum);
int cshim_v4l2_set_format(int fd, void *format);
int cshim_v4l2_get_rate(int fd, void *streamparm);
int cshim_v4l2_set_rate(int fd, void *streamparm);
int cshim_v4l2_request_buffers(int fd, void *requestbuffers);
int cshim_v4l2_query_buffer(int fd, void *buffer);
int cshim_v4l2_queue(int fd, void *buffer);
int cshim_v4l2_dequeue(int fd, void *buffer);
// Starts or stops single-planar capture.
int cshim_v4l2_stream(int fd, int on);

#endif
