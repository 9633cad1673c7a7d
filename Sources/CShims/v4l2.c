#include "cshims.h"

#include <errno.h>
#include <fcntl.h>
#include <libv4l2.h>
#include <linux/videodev2.h>
#include <stdio.h>

static int answer(int fd, unsigned long request, void *argument) {
    int result;
    do result = v4l2_ioctl(fd, request, argument);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

void cshim_v4l2_silence(void) {
    FILE *nowhere = fopen("/dev/null", "we");
    if (nowhere) v4l2_log_file = nowhere;
}

int cshim_v4l2_open(const char *path) {
    int fd;
    do fd = v4l2_open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

int cshim_v4l2_query_capability(int fd, void *capability) { return answer(fd, VIDIOC_QUERYCAP, capability); }
int cshim_v4l2_enumerate_format(int fd, void *fmtdesc) { return answer(fd, VIDIOC_ENUM_FMT, fmtdesc); }
int cshim_v4l2_enumerate_size(int fd, void *frmsizeenum) { return answer(fd, VIDIOC_ENUM_FRAMESIZES, frmsizeenum); }
int cshim_v4l2_enumerate_interval(int fd, void *frmivalenum) {
    return answer(fd, VIDIOC_ENUM_FRAMEINTERVALS, frmivalenum);
}
int cshim_v4l2_set_format(int fd, void *format) { return answer(fd, VIDIOC_S_FMT, format); }
int cshim_v4l2_get_rate(int fd, void *streamparm) { return answer(fd, VIDIOC_G_PARM, streamparm); }
int cshim_v4l2_set_rate(int fd, void *streamparm) { return answer(fd, VIDIOC_S_PARM, streamparm); }
int cshim_v4l2_request_buffers(int fd, void *requestbuffers) { return answer(fd, VIDIOC_REQBUFS, requestbuffers); }
int cshim_v4l2_query_buffer(int fd, void *buffer) { return answer(fd, VIDIOC_QUERYBUF, buffer); }
int cshim_v4l2_queue(int fd, void *buffer) { return answer(fd, VIDIOC_QBUF, buffer); }
int cshim_v4l2_dequeue(int fd, void *buffer) { return answer(fd, VIDIOC_DQBUF, buffer); }

int cshim_v4l2_stream(int fd, int on) {
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    return answer(fd, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type);
}
