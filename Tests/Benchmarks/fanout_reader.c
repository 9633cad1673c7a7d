// Reads for many subscribers of a daemon at once, and costs little enough that what is measured is the daemon.
//
//     fanout_reader SOCKET COUNT > records
//
// Connects COUNT times, subscribes, reads until the daemon hangs up on all, then writes what it read: for each piece its
// time of arrival (CLOCK_REALTIME, ns), the client (0...), its length, and its bytes. Nothing is looked at or written before
// the end. It runs at realtime priority where that is granted, so that its own wait for a core is not measured.
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct record {
    int64_t arrival_ns;
    int32_t client, bytes;
};

static char *log_bytes;
static size_t used, reserved;

static void append(const void *bytes, size_t count) {
    while (used + count > reserved) {
        reserved = reserved ? 2 * reserved : 64 << 20;
        log_bytes = realloc(log_bytes, reserved);
        if (!log_bytes) exit(71);
    }
    memcpy(log_bytes + used, bytes, count);
    used += count;
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    int count = atoi(argv[2]), open_count = count, epoll = epoll_create1(0);
    int *clients = calloc(count, sizeof(int));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    const char *subscribe = "{\"id\":1,\"cmd\":\"subscribe\"}\n";
    for (int i = 0; i < count; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (connect(clients[i], (struct sockaddr *)&address, sizeof address) != 0
            || write(clients[i], subscribe, strlen(subscribe)) < 0
            || epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i], &event) != 0) {
            perror("fanout_reader");
            return 69;
        }
    }
    struct sched_param priority = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) perror("fanout_reader: no realtime priority");

    char bytes[1 << 16];
    struct epoll_event ready[128];
    while (open_count > 0) {
        int found = epoll_wait(epoll, ready, 128, -1);
        for (int i = 0; i < found; i++) {
            int32_t client = ready[i].data.u32;
            ssize_t length = read(clients[client], bytes, sizeof bytes);
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (length <= 0) {
                close(clients[client]);
                open_count--;
                continue;
            }
            struct record record = {now.tv_sec * INT64_C(1000000000) + now.tv_nsec, client, (int32_t)length};
            append(&record, sizeof record);
            append(bytes, length);
        }
    }
    return fwrite(log_bytes, 1, used, stdout) == used ? 0 : 74;
}
