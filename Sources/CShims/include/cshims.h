#ifndef CSHIMS_H
#define CSHIMS_H

// What Swift cannot import. Every function returns 0 or -errno unless it says otherwise.

#include <stddef.h>
#include <pthread.h>
#include <stdint.h>

// thread.c: pthread_setname_np and the scheduling calls are hidden from Glibc's Swift module.

// Names the calling thread; names longer than 15 bytes are cut.
int cshim_thread_set_name(const char *name);
// Asks for SCHED_FIFO at `priority` (1...99) for the calling thread, or at what the user's limit (`ulimit -r`) allows;
// children do not inherit it. Returns the priority that was granted.
// -EPERM is the usual answer and no fault: the thread goes on at normal priority.
int cshim_thread_request_realtime(int priority);
// Waits for the thread to end; -ETIMEDOUT if it has not in that time. (glibc's pthread_timedjoin_np, which Swift does not see.)
int cshim_thread_join(pthread_t thread, int milliseconds);
// Blocks every signal in the calling thread, so that its waits are never interrupted by one.
int cshim_thread_block_signals(void);

// socket.c: struct ucred exists under _GNU_SOURCE only.

// Who is at the other end of a connected Unix socket, as the kernel saw it when it connected.
int cshim_peer_credentials(int fd, uint32_t *uid, uint32_t *gid, int32_t *pid);

// alsa.c: an error handler is variadic, and a Swift closure cannot be.

// libasound writes its errors to stderr; after this call it writes nothing, in the whole process.
void cshim_alsa_silence(void);

// jpeg.c: libjpeg leaves by longjmp, which must not cross Swift, and its entry points are macros.

// What a JPEG says of itself before its first scan. Nothing is allocated in proportion to it.
typedef struct {
    int32_t width, height; // as stored
    int32_t components;    // 1: gray; 3: colour; 4: CMYK
    int32_t in_scans;      // 1: progressive or one scan per component, so that all coefficients are kept in memory
    int32_t is_progressive;
    int64_t blocks; // of 8x8 samples, of all components
} cshim_jpeg_header;

typedef struct {
    int32_t scale;        // 1, 2, 4, 8: sides are divided by it, rounded up
    int32_t channels;     // 3: R, G, B; 1: luma
    int32_t scan_limit;   // a JPEG with more scans is refused
    int64_t memory_limit; // bytes that coefficients may take
} cshim_jpeg_request;

typedef struct {
    int32_t damages;   // faults of the compressed data that were bridged
    char message[200]; // the first of them, or the error
} cshim_jpeg_report;

// -EBADMSG: no JPEG that can be read, `message` says why.
int cshim_jpeg_read_header(
    const uint8_t *bytes, size_t count, cshim_jpeg_header *header, cshim_jpeg_report *report);
// `pixels`: [height x width x channels] of the scaled size, without gaps; `capacity` must be exactly that.
// A cut or damaged JPEG gives what can be had, and `damages` > 0.
// -EBADMSG as above; -ENOMEM: beyond `memory_limit`; -E2BIG: beyond `scan_limit`; -EINVAL: `capacity` is wrong.
int cshim_jpeg_decode(
    const uint8_t *bytes, size_t count, const cshim_jpeg_request *request, uint8_t *pixels, size_t capacity,
    cshim_jpeg_report *report);
// Baseline, 4:2:0. `pixels`: [height x width x channels], R, G, B or luma. Returns how many bytes were written;
// -ENOBUFS: more than `capacity`; -EBADMSG: `message` says what libjpeg refused.
int64_t cshim_jpeg_encode(
    const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, int32_t quality, uint8_t *bytes,
    size_t capacity, cshim_jpeg_report *report);

// memory.c: malloc.h is not part of the Glibc module.

// Gives what the heaps hold free back to the system; takes a few milliseconds.
void cshim_memory_trim(void);

// pages.c: what runs in a signal handler must not allocate, which Swift does not promise; siginfo's members are macros.

// From now on a page of a mapped file that cannot be had, because somebody cut the file short, ends the process with
// `status` and a line on stderr that names the file, in place of a signal.
int cshim_end_on_lost_page(int status);

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
