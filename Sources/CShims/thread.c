#define _GNU_SOURCE
#include "cshims.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
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

int cshim_thread_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    return -pthread_sigmask(SIG_BLOCK, &all, NULL);
}
