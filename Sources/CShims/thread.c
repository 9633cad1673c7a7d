#define _GNU_SOURCE
#include "cshims.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

int cshim_thread_set_name(const char *name) {
    char cut[16] = {0}; // the kernel's limit, with its terminator
    strncpy(cut, name, sizeof cut - 1);
    return -pthread_setname_np(pthread_self(), cut);
}

int cshim_thread_request_realtime(int priority) {
    struct sched_param parameters = {.sched_priority = priority};
    return -pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
}

int cshim_thread_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    return -pthread_sigmask(SIG_BLOCK, &all, NULL);
}
