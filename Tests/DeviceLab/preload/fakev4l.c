// fakev4l: an LD_PRELOAD library that plays V4L2 cameras, for fast tests on a host without any video driver. It
// answers libv4l2's calls (libv4l2 enters the kernel by syscall(), so its own calls cannot be caught below it) and
// plain open/ioctl/mmap/close.
//
//   cc -O2 -Wall -shared -fPIC -o fakev4l.so fakev4l.c -ldl
//   FAKEV4L_FRAMES=DIR LD_PRELOAD=$PWD/fakev4l.so PROGRAM
//
// Either one camera that is always there, set up by the environment, at FAKEV4L_DEV (default /dev/video0); or, with
// FAKEV4L_DEV=FOLDER/ (a slash at its end), one camera for each file in that folder. Making the file is plugging in,
// which a program sees by inotify; deleting it is pulling the plug. Its lines, `KEY VALUE`, go before the environment's
// FAKEV4L_KEY and may change at any time (write another file and rename it).
//
//   frames   directory of *.jpg, served in name order, for ever
//   size     what the camera offers          (default 640x480)
//   fps      frames a second                 (default 30)
//   format   mjpeg, yuyv or grey: raw pictures are a grey that rises with every frame   (default mjpeg)
//   card     its name                        (default Fake Camera)
//   bus      where it is plugged in          (default preload)
//   node     capture, meta or m2m            (default capture)
//   unplug   after so many frames every call says ENODEV
//   error, empty, truncate, junk
//            every Nth buffer carries V4L2_BUF_FLAG_ERROR, has no byte, is cut in half, begins with other bytes
//   drop     every Nth frame is lost, which shows in the sequence numbers
//   freeze   1: no frame comes while this stands there; restart: until the stream is started again;
//            reopen: until the device is opened again
//   eio      1: DQBUF says EIO while this stands there; restart: until the stream is started again
//   busy     1: S_FMT says EBUSY while this stands there
//   ahead    stamps lie so many milliseconds in the future
//   log      a file that gets a line with the monotonic time in nanoseconds of every open, stream, fault and close
//
// The descriptor is a timerfd: poll() says readable when a frame is due; after a fault it says so at once.
// One opener a camera, MMAP streaming only. Not a test of the kernel: use the VM for that.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BUFFERS = 32, MAX_CAMERAS = 8, PAGE = 4096 };

struct camera {
    int in_use, fd, blocking, streaming, count, queued[MAX_BUFFERS], head, tail, dead, thawed, immune;
    uint32_t sequence, shown, width, height, fps, buffer_size;
    char path[1024], *memory;
    glob_t files;
};
static struct camera cameras[MAX_CAMERAS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *device_setting(void) {
    const char *v = getenv("FAKEV4L_DEV");
    return v && *v ? v : "/dev/video0";
}

static int is_folder(void) { const char *d = device_setting(); return d[strlen(d) - 1] == '/'; }

// The value of a key: from the camera's file, else from the environment, else `other`.
static const char *setting(const char *path, const char *key, const char *other, char *buffer, size_t size) {
    if (is_folder()) {
        FILE *f = fopen(path, "re");
        char line[1024];
        size_t n = strlen(key);
        while (f && fgets(line, sizeof line, f)) {
            if (strncmp(line, key, n) || line[n] != ' ') continue;
            line[strcspn(line, "\n")] = 0;
            snprintf(buffer, size, "%s", line + n + 1);
            fclose(f);
            return buffer;
        }
        if (f) fclose(f);
    }
    char name[64] = "FAKEV4L_";
    for (size_t i = 0; key[i] && i < 40; i++) { name[8 + i] = (char)(key[i] - 'a' + 'A'); name[9 + i] = 0; }
    const char *v = getenv(name);
    return v && *v ? v : other;
}

#define TEXT(path, key, other) setting(path, key, other, (char[512]){0}, 512)
static uint32_t number(const char *path, const char *key) { return (uint32_t)atoi(TEXT(path, key, "0")); }

static void note(const struct camera *c, const char *what) {
    const char *file = TEXT(c->path, "log", "");
    if (!*file) return;
    FILE *f = fopen(file, "ae");
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (f) { fprintf(f, "%lld %s %s\n", (long long)t.tv_sec * 1000000000LL + t.tv_nsec, c->path, what); fclose(f); }
}

static int is_ours(const char *path) {
    const char *d = device_setting();
    if (!path || !(getenv("FAKEV4L_FRAMES") || is_folder())) return 0;
    return is_folder() ? !strncmp(path, d, strlen(d)) && strstr(path + strlen(d), "video") == path + strlen(d)
                       : !strcmp(path, d);
}

static struct camera *camera_of(int fd) {
    for (int i = 0; fd >= 0 && i < MAX_CAMERAS; i++) if (cameras[i].in_use && cameras[i].fd == fd) return &cameras[i];
    return NULL;
}

static int is_raw(const struct camera *c) { return strcmp(TEXT(c->path, "format", "mjpeg"), "mjpeg") != 0; }
static int is_yuyv(const struct camera *c) { return !strcmp(TEXT(c->path, "format", "mjpeg"), "yuyv"); }
static uint32_t row_bytes(const struct camera *c) { return is_raw(c) ? c->width * (is_yuyv(c) ? 2 : 1) : 0; }
static uint32_t fourcc(const struct camera *c) {
    return !is_raw(c) ? V4L2_PIX_FMT_MJPEG : is_yuyv(c) ? V4L2_PIX_FMT_YUYV : V4L2_PIX_FMT_GREY;
}

static int camera_open_locked(const char *path, int flags) {
    char pattern[4096];
    struct camera *c = NULL;
    if (is_folder() && access(path, F_OK)) { errno = ENOENT; return -1; }
    if (is_folder() && access(path, R_OK)) { errno = EACCES; return -1; }
    for (int i = 0; i < MAX_CAMERAS; i++) if (!cameras[i].in_use) { c = &cameras[i]; break; }
    if (!c) { errno = EMFILE; return -1; }
    memset(c, 0, sizeof *c);
    snprintf(c->path, sizeof c->path, "%s", path);
    snprintf(pattern, sizeof pattern, "%s/*.jpg", TEXT(path, "frames", "."));
    if (!is_raw(c) && glob(pattern, 0, NULL, &c->files)) { errno = ENOENT; return -1; }
    if (sscanf(TEXT(path, "size", "640x480"), "%ux%u", &c->width, &c->height) != 2) { errno = EINVAL; return -1; }
    c->fps = (uint32_t)atoi(TEXT(path, "fps", "30"));
    if (!c->fps) c->fps = 30;
    c->buffer_size = (c->width * c->height * 2 + PAGE - 1) / PAGE * PAGE;
    c->blocking = !(flags & O_NONBLOCK);
    c->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | (flags & O_NONBLOCK ? TFD_NONBLOCK : 0));
    c->in_use = c->fd >= 0;
    c->immune = !strcmp(TEXT(path, "freeze", ""), "reopen") || !strcmp(TEXT(path, "eio", ""), "reopen");
    note(c, "open");
    return c->fd;
}

static int camera_open(const char *path, int flags) {
    pthread_mutex_lock(&lock);
    int fd = camera_open_locked(path, flags), e = errno;
    pthread_mutex_unlock(&lock);
    errno = e;
    return fd;
}

static void set_timer(struct camera *c, int on) {
    long ns = on ? 1000000000L / c->fps : 0;
    if (ns >= 1000000000L) ns = 999999999L;
    struct itimerspec t = {{0, ns}, {0, ns}};
    timerfd_settime(c->fd, 0, &t, NULL);
}

static void release_buffers(struct camera *c) {
    if (c->memory) munmap(c->memory, (size_t)c->buffer_size * MAX_BUFFERS);
    c->memory = NULL;
    c->count = 0;
}

// A fault that ends with a restart or a reopening of the stream, or with its line in the file.
static int has_fault(struct camera *c, const char *key) {
    const char *v = TEXT(c->path, key, "0");
    if (!strcmp(v, "restart")) return c->thawed < 1;
    if (!strcmp(v, "reopen")) return !c->immune;
    return atoi(v);
}

static uint32_t fill(struct camera *c, char *to, uint32_t n) {
    if (is_raw(c)) {
        uint32_t bytes = row_bytes(c) * c->height;
        for (uint32_t i = 0; i < bytes; i++) to[i] = is_yuyv(c) && i % 2 ? (char)128 : (char)n;
        return bytes;
    }
    FILE *f = fopen(c->files.gl_pathv[n % c->files.gl_pathc], "rbe");
    if (!f) return 0;
    uint32_t lead = 0, junk = number(c->path, "junk");
    if (junk && (n + 1) % junk == 0) { memset(to, 0x55, 24); lead = 24; }
    uint32_t bytes = lead + (uint32_t)fread(to + lead, 1, c->buffer_size - lead, f);
    fclose(f);
    return bytes;
}

static int dequeue(struct camera *c, struct v4l2_buffer *b) {
    if (!c->streaming) { errno = EINVAL; return -1; }
    if (c->head == c->tail && !c->blocking) { errno = EAGAIN; return -1; }
    uint64_t ticks = 0;
    int fd = c->fd;
    pthread_mutex_unlock(&lock);                       // let another thread queue meanwhile
    ssize_t r = read(fd, &ticks, sizeof ticks);
    pthread_mutex_lock(&lock);
    if (r < 0) return -1;                              // EAGAIN, EINTR
    if (has_fault(c, "eio")) { note(c, "eio"); errno = EIO; return -1; }
    if (has_fault(c, "freeze")) { if (c->thawed >= 0) note(c, "freeze"); c->thawed = -1; set_timer(c, 0); errno = EAGAIN; return -1; }
    uint32_t n = c->sequence + (uint32_t)ticks - 1;    // missed ticks are lost frames
    uint32_t drop = number(c->path, "drop");
    if (drop && (n + 1) % drop == 0) n++;
    c->sequence = n + 1;
    c->shown++;
    if (c->head == c->tail) { errno = EAGAIN; return -1; }
    int i = c->queued[c->head++ % MAX_BUFFERS];
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    long long us = t.tv_sec * 1000000LL + t.tv_nsec / 1000 + number(c->path, "ahead") * 1000LL;
    *b = (struct v4l2_buffer){.index = (uint32_t)i, .type = b->type, .memory = b->memory, .sequence = n,
        .length = c->buffer_size, .field = V4L2_FIELD_NONE, .timestamp = {us / 1000000, us % 1000000},
        .flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_MAPPED};
    b->m.offset = (uint32_t)i * c->buffer_size;
    b->bytesused = fill(c, c->memory + b->m.offset, n);
    uint32_t error = number(c->path, "error"), empty = number(c->path, "empty"), cut = number(c->path, "truncate");
    if (error && (n + 1) % error == 0) b->flags |= V4L2_BUF_FLAG_ERROR;
    if (empty && (n + 1) % empty == 0) b->bytesused = 0;
    if (cut && (n + 1) % cut == 0) b->bytesused /= 2;
    return 0;
}

static int is_dead(struct camera *c) {
    if (c->dead) return 1;
    uint32_t unplug = number(c->path, "unplug");
    if ((unplug && c->sequence >= unplug) || (is_folder() && access(c->path, F_OK))) { c->dead = 1; note(c, "unplugged"); }
    return c->dead;
}

static int answer(struct camera *c, unsigned long request, void *arg) {
    if (is_dead(c)) { errno = ENODEV; return -1; }
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *q = arg;
        const char *node = TEXT(c->path, "node", "capture");
        memset(q, 0, sizeof *q);
        strcpy((char *)q->driver, "fakev4l");
        snprintf((char *)q->card, sizeof q->card, "%s", TEXT(c->path, "card", "Fake Camera"));
        snprintf((char *)q->bus_info, sizeof q->bus_info, "%s", TEXT(c->path, "bus", "preload"));
        q->device_caps = !strcmp(node, "meta") ? V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING
            : !strcmp(node, "m2m") ? V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING : V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        q->capabilities = V4L2_CAP_VIDEO_CAPTURE | q->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0; }
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *d = arg;
        if (d->index || d->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) break;
        d->flags = is_raw(c) ? 0 : V4L2_FMT_FLAG_COMPRESSED; d->pixelformat = fourcc(c);
        strcpy((char *)d->description, "Fake");
        return 0; }
    case VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *s = arg;
        if (s->index || s->pixel_format != fourcc(c)) break;
        s->type = V4L2_FRMSIZE_TYPE_DISCRETE; s->discrete.width = c->width; s->discrete.height = c->height;
        return 0; }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *v = arg;
        if (v->index || v->pixel_format != fourcc(c)) break;
        v->type = V4L2_FRMIVAL_TYPE_DISCRETE; v->discrete = (struct v4l2_fract){1, c->fps};
        return 0; }
    case VIDIOC_S_FMT:
        if (c->streaming || c->count || number(c->path, "busy")) { errno = EBUSY; return -1; }  // fall through
    case VIDIOC_G_FMT: case VIDIOC_TRY_FMT: {
        struct v4l2_format *f = arg;
        if (f->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) break;
        memset(&f->fmt, 0, sizeof f->fmt);
        f->fmt.pix = (struct v4l2_pix_format){.width = c->width, .height = c->height, .pixelformat = fourcc(c),
            .field = V4L2_FIELD_NONE, .bytesperline = row_bytes(c), .sizeimage = c->buffer_size,
            .colorspace = V4L2_COLORSPACE_SRGB};
        return 0; }
    case VIDIOC_S_PARM: case VIDIOC_G_PARM: {
        struct v4l2_streamparm *p = arg;
        p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        p->parm.capture.timeperframe = (struct v4l2_fract){1, c->fps};
        return 0; }
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *r = arg;
        if (r->memory != V4L2_MEMORY_MMAP) break;
        if (c->streaming) { errno = EBUSY; return -1; }
        release_buffers(c);
        r->count = r->count > MAX_BUFFERS ? MAX_BUFFERS : r->count;
        if (r->count) {
            c->memory = mmap(NULL, (size_t)c->buffer_size * MAX_BUFFERS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (c->memory == MAP_FAILED) { c->memory = NULL; return -1; }
        }
        c->count = (int)r->count; c->head = c->tail = 0;
        return 0; }
    case VIDIOC_QUERYBUF: case VIDIOC_QBUF: {
        struct v4l2_buffer *b = arg;
        if (b->index >= (uint32_t)c->count) break;
        b->length = c->buffer_size; b->m.offset = b->index * c->buffer_size;
        if (request == VIDIOC_QBUF) c->queued[c->tail++ % MAX_BUFFERS] = (int)b->index;
        return 0; }
    case VIDIOC_DQBUF: return dequeue(c, arg);
    case VIDIOC_STREAMON:
        if (!c->count) break;
        c->streaming = 1; note(c, "stream"); set_timer(c, 1); return 0;
    case VIDIOC_STREAMOFF:
        if (c->streaming) c->thawed = 1;
        c->streaming = 0; c->head = c->tail = 0; set_timer(c, 0); return 0;
    default: errno = ENOTTY; return -1;
    }
    errno = EINVAL;
    return -1;
}

static int camera_ioctl(struct camera *c, unsigned long request, void *arg) {
    pthread_mutex_lock(&lock);
    int r = answer(c, (uint32_t)request, arg);
    int e = errno;
    pthread_mutex_unlock(&lock);
    errno = e;
    return r;
}

static void camera_close(struct camera *c) {
    pthread_mutex_lock(&lock);
    note(c, "close");
    release_buffers(c);
    if (c->files.gl_pathv) globfree(&c->files);
    c->in_use = 0;
    pthread_mutex_unlock(&lock);
}

static void *camera_mmap(struct camera *c, int64_t offset) { return c->memory ? c->memory + offset : MAP_FAILED; }

static int in_memory(const void *p, size_t n) {
    for (int i = 0; i < MAX_CAMERAS; i++) {
        const struct camera *c = &cameras[i];
        if (c->in_use && c->memory && (const char *)p >= c->memory && n <= c->buffer_size
            && (const char *)p < c->memory + (size_t)c->buffer_size * MAX_BUFFERS) return 1;
    }
    return 0;
}

#define MODE(flags) int mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list v; va_start(v, flags); mode = va_arg(v, int); va_end(v); }
// A camera's file is read by this library itself and written by tests: only opening for both is opening the camera.
#define IS_CAMERA(path, flags) (is_ours(path) && ((flags) & O_ACCMODE) == O_RDWR)

int open(const char *path, int flags, ...) { MODE(flags) return IS_CAMERA(path, flags) ? camera_open(path, flags) : NEXT(open)(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return IS_CAMERA(path, flags) ? camera_open(path, flags) : NEXT(open64)(path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return IS_CAMERA(path, flags) ? camera_open(path, flags) : NEXT(openat)(dir, path, flags, mode); }
int ioctl(int fd, unsigned long request, ...) {
    va_list v; va_start(v, request); void *arg = va_arg(v, void *); va_end(v);
    struct camera *c = camera_of(fd);
    return c ? camera_ioctl(c, request, arg) : NEXT(ioctl)(fd, request, arg);
}
void *mmap(void *a, size_t n, int prot, int flags, int fd, off_t offset) {
    struct camera *c = camera_of(fd);
    return c ? camera_mmap(c, offset) : NEXT(mmap)(a, n, prot, flags, fd, offset);
}
void *mmap64(void *a, size_t n, int prot, int flags, int fd, off64_t offset) {
    struct camera *c = camera_of(fd);
    return c ? camera_mmap(c, offset) : NEXT(mmap64)(a, n, prot, flags, fd, offset);
}
int munmap(void *a, size_t n) { return in_memory(a, n) ? 0 : NEXT(munmap)(a, n); }
int close(int fd) { struct camera *c = camera_of(fd); if (c) camera_close(c); return NEXT(close)(fd); }

// libv4l2
int v4l2_open(const char *path, int flags, ...);
int v4l2_close(int fd);
int v4l2_ioctl(int fd, unsigned long request, ...);
void *v4l2_mmap(void *a, size_t n, int prot, int flags, int fd, int64_t offset);
int v4l2_munmap(void *a, size_t n);
int v4l2_open(const char *path, int flags, ...) { MODE(flags) return is_ours(path) ? camera_open(path, flags) : NEXT(v4l2_open)(path, flags, mode); }
int v4l2_close(int fd) { return camera_of(fd) ? close(fd) : NEXT(v4l2_close)(fd); }
int v4l2_ioctl(int fd, unsigned long request, ...) {
    va_list v; va_start(v, request); void *arg = va_arg(v, void *); va_end(v);
    struct camera *c = camera_of(fd);
    return c ? camera_ioctl(c, request, arg) : NEXT(v4l2_ioctl)(fd, request, arg);
}
void *v4l2_mmap(void *a, size_t n, int prot, int flags, int fd, int64_t offset) {
    struct camera *c = camera_of(fd);
    return c ? camera_mmap(c, offset) : NEXT(v4l2_mmap)(a, n, prot, flags, fd, offset);
}
int v4l2_munmap(void *a, size_t n) { return in_memory(a, n) ? 0 : NEXT(v4l2_munmap)(a, n); }
