#define _GNU_SOURCE
#include "cshims.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>

int cshim_thread_set_name(const char *name) {
    char cut[16] = {0}; // the kernel's limit, with its terminator
    strncpy(cut, name, sizeof cut - 1);
    return -pthread_setname_np(pthread_self(), cut);
}

int cshim_thread_request_realtime(int priority) {
    struct rlimit limit;
    struct sched_param parameters = {.sched_priority = priority};
    int error = pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
    if (error == EPERM && getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0 &&
        limit.rlim_cur < (rlim_t)priority) {
        parameters.sched_priority = (int)limit.rlim_cur;
        error = pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
    }
    return error == 0 ? parameters.sched_priority : -error;
}

int cshim_thread_join(pthread_t thread, int milliseconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += milliseconds / 1000;
    deadline.tv_nsec += milliseconds % 1000 * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) deadline.tv_sec++, deadline.tv_nsec -= 1000000000L;
    return -pthread_timedjoin_np(thread, NULL, &deadline);
}

int cshim_thread_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    return -pthread_sigmask(SIG_BLOCK, &all, NULL);
}
