#define _GNU_SOURCE
#include "cshims.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t exit_status;

static void say(const char *text, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0) return;
        text += written;
        length -= (size_t)written;
    }
}

// The hexadecimal number at `*text`, which moves behind it.
static uintptr_t hexadecimal(const char **text) {
    uintptr_t value = 0;
    for (;; (*text)++) {
        char c = **text;
        if (c >= '0' && c <= '9') value = value * 16 + (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f') value = value * 16 + (uintptr_t)(c - 'a' + 10);
        else return value;
    }
}

// Puts the path of the file that is mapped at `address` into `path`; false if there is none.
static int find_mapping(uintptr_t address, char *path, size_t capacity) {
    // A line: 7f00-7f10 r--p 00000000 fe:01 1234    /path
    static char line[8192];
    size_t used = 0;
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return 0;
    int found = 0;
    char c;
    while (!found && read(maps, &c, 1) == 1) {
        if (c != '\n') {
            if (used < sizeof line - 1) line[used++] = c;
            continue;
        }
        line[used] = 0;
        used = 0;
        const char *rest = line;
        uintptr_t start = hexadecimal(&rest);
        if (*rest++ != '-') continue;
        uintptr_t end = hexadecimal(&rest);
        const char *name = strchr(rest, '/');
        if (address < start || address >= end || !name) continue;
        strncpy(path, name, capacity - 1);
        path[capacity - 1] = 0;
        found = 1;
    }
    close(maps);
    return found;
}

// Calls only what may be called in a handler.
static void end_process(int number, siginfo_t *info, void *context) {
    static volatile int is_ending;
    static char path[4096];
    (void)context;
    if (__atomic_exchange_n(&is_ending, 1, __ATOMIC_ACQ_REL)) {
        for (;;) pause(); // another thread tells
    }
    if (info->si_code != BUS_ADRERR || !find_mapping((uintptr_t)info->si_addr, path, sizeof path)) {
        signal(number, SIG_DFL); // no file of ours: the instruction runs again, and the process ends as it would have
        return;
    }
    static const char before[] = "narrator: a part of '";
    static const char after[] = "' can no longer be read: the file was cut short while it was in use, or its disk "
                                "failed. Put a whole file in its place and start again.\n";
    say(before, sizeof before - 1);
    say(path, strlen(path));
    say(after, sizeof after - 1);
    _exit(exit_status);
}

int cshim_end_on_lost_page(int status) {
    exit_status = status;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = end_process;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : -errno;
}
